// What benchmarks have in common: their settings, the machine's line, tables, and a file of records.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "deft/apps/bench/machine.h"
#include "deft/apps/bench/timing.h"
#include "deft/apps/support/runtime.h"
#include "deft/apps/support/table.h"

namespace deft::bench {

/// Settings of every benchmark. `runtime` is left to each, since not all take a precision.
struct CommonSettings {
  double seconds = 0.2;
  bool tiny = false;
  std::string json = {};
  support::RuntimeSettings runtime = {};

  /// `each`: what `seconds` are spent on.
  void add_to(support::Settings& settings, const std::string& each);
};

/// "0.123" to four digits: the time in a table.
std::string to_text(double milliseconds);
/// "93 %".
std::string percent(double share);

/// The columns of a Timing: titles and cells.
extern const std::vector<std::string> time_titles;
std::vector<std::string> time_cells(const Timing& timing);
/// Its fields in a record: median_ms, min_ms, low_ms, high_ms, runs.
nlohmann::ordered_json to_fields(const Timing& timing);

/// Prints the machine's line when made, then rows as they come, and keeps their records.
class Report {
 public:
  explicit Report(const Machine& machine);

  const Machine& machine() const { return machine_; }

  /// Starts a table; columns are as in support::Table.
  void begin(std::vector<std::string> titles, const std::vector<int>& widths);
  /// Prints a row. Its record, a JSON object, also gets the machine and those of its ceilings that it does not say itself.
  void add(const std::vector<std::string>& cells, nlohmann::ordered_json record);

  /// Writes the records as a JSON list, unless the name is empty.
  void write(const std::string& file) const;

 private:
  Machine machine_;
  support::Table table_{{}};
  nlohmann::ordered_json records_ = nlohmann::ordered_json::array();
};

}  // namespace deft::bench
