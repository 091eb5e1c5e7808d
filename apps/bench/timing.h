// Timing small pieces of work.
#pragma once

#include <functional>
#include <vector>

#include "deft/kernels/runtime/device.h"

namespace deft::bench {

/// What was seen over several runs, in milliseconds.
struct Timing {
  double median_ms = 0;
  double min_ms = 0;
  double low_ms = 0, high_ms = 0;  ///< a tenth of the runs was faster than low, a tenth slower than high
  int runs = 0;
};

/// Times pieces of work for `device` side by side: after two rounds for warming up, each piece runs once per round, so
/// that all see the same states of the machine, until `seconds` per piece are over (five rounds at least). On a GPU,
/// time is the time between two events, and the rounds follow each other without waiting for it: a piece that runs
/// shorter than its launch takes is seen as long as that.
std::vector<Timing> time_interleaved(const std::vector<std::function<void()>>& pieces, double seconds,
                                     Device device = Device::cpu());

}  // namespace deft::bench
