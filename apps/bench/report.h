// What benchmarks print and write.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deft/apps/bench/timing.h"
#include "deft/kernels/device.h"

namespace deft::bench {

/// One measured row.
struct Record {
  std::string op;    ///< "train_step_e0"
  std::string pass;  ///< "step"
  std::string model;
  std::int64_t n = 0;  ///< images in the batch
  Timing timing = {};
};

/// The machine as measured in this run.
struct Machine {
  std::string name;  ///< processor and cores, and the GPU if it is that which is measured
  int threads = 0;
  double fma_peak_gflops = 0;  ///< of `threads` threads
};

/// Looks at the machine and measures its processor's peak with num_threads() threads.
Machine measure_machine(Device device);

/// The line that benchmarks print first.
std::string to_string(const Machine& machine);

/// A table with a line per record.
std::string to_table(const std::vector<Record>& records);

/// A JSON list of the records, each with the threads and the peak of its run.
std::string to_json(const std::vector<Record>& records, const Machine& machine);

}  // namespace deft::bench
