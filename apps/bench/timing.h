// Timing small pieces of work.
#pragma once

#include <functional>
#include <vector>

namespace deft::bench {

/// What was seen over several runs, in milliseconds.
struct Timing {
  double median_ms = 0;
  double min_ms = 0;
  double low_ms = 0, high_ms = 0;  ///< a tenth of the runs was faster than low, a tenth slower than high
  int runs = 0;
};

/// Times pieces of work side by side: after two rounds for warming up, each piece runs once per round, so that all see
/// the same states of the machine, until `seconds` per piece are over (five rounds at least).
std::vector<Timing> time_interleaved(const std::vector<std::function<void()>>& pieces, double seconds);

}  // namespace deft::bench
