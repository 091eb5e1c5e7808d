// What benchmarks have in common: their settings, the machine's line, tables, and a file of records.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "deft/apps/bench/machine.h"
#include "deft/apps/bench/timing.h"
#include "deft/apps/support/runtime.h"
#include "deft/apps/support/table.h"
#include "deft/kernels/runtime/error.h"

namespace deft::bench {

/// Settings of every benchmark. `runtime` is left to each, since not all take a precision.
struct CommonSettings {
  std::string filter = {};
  double seconds = 0.2;
  bool tiny = false;
  std::string json = {};
  support::RuntimeSettings runtime = {};
  /// What --help says of `tiny`, for those that make no more than the ceilings small.
  const char* tiny_help =
      "the machine's ceilings, not the rows, at sizes that only try the program; the copy bandwidth is then a cache's";

  /// `label`: what `filter` looks at, such as "'OP PASS' of a row".
  void add_to(support::Settings& settings, const std::string& label);
  /// Also `seconds`. `each`: what they are spent on.
  void add_to(support::Settings& settings, const std::string& label, const std::string& each);
};

/// Those of `cases` whose to_string contains `filter`. Throws Error when there are none.
template <class Case>
std::vector<Case> keep_matching(std::vector<Case> cases, const std::string& filter) {
  std::erase_if(cases, [&](const Case& one) { return to_string(one).find(filter) == std::string::npos; });
  if (cases.empty()) throw Error("--filter: no row contains '" + filter + "'");
  return cases;
}

/// "0.123" to four digits: the time in a table.
std::string to_text(double milliseconds);
/// "93 %".
std::string percent(double share);

/// The columns of a Timing between others: titles and cells.
std::vector<std::string> with_time_titles(std::vector<std::string> before, const std::vector<std::string>& after);
std::vector<std::string> with_times(std::vector<std::string> before, const Timing& timing,
                                    const std::vector<std::string>& after);
/// Its fields in a record: median_ms, min_ms, low_ms, high_ms, runs.
nlohmann::ordered_json to_fields(const Timing& timing);

/// Prints the machine's line when made, then rows as they come, and keeps their records.
class Report {
 public:
  explicit Report(const Machine& machine);

  const Machine& machine() const { return machine_; }

  /// Starts a table; columns are as in support::Table.
  void begin(std::vector<std::string> titles, const std::vector<int>& widths);
  /// Prints a row. Its record, a JSON object, also gets the machine and those of its ceilings that it does not have.
  void add(const std::vector<std::string>& cells, nlohmann::ordered_json record);

  /// Writes the records as a JSON list, unless the name is empty.
  void write(const std::string& file) const;

 private:
  Machine machine_;
  support::Table table_{{}};
  nlohmann::ordered_json records_ = nlohmann::ordered_json::array();
};

}  // namespace deft::bench
