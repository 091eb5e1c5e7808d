// What benchmarks write: a list of records, each with all that is needed to read it alone.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "deft/apps/bench/machine.h"
#include "deft/apps/bench/timing.h"

namespace deft::bench {

/// One measured row.
struct Record {
  nlohmann::ordered_json what;  ///< an object: op ("conv2d"), pass ("forward"), sizes (n, c, o, size)
  Timing timing;
};

/// "0.123" to four digits: the time in a table.
std::string to_text(double milliseconds);

/// A JSON list: what was measured, the times, and the machine with its ceilings.
std::string to_json(const std::vector<Record>& records, const Machine& machine);

}  // namespace deft::bench
