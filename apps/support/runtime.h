// Where and how a program computes: device, precision, threads.
#pragma once

#include <cstdint>
#include <string>

#include "deft/apps/support/config.h"
#include "deft/kernels/runtime/device.h"

namespace deft::support {

/// The settings --threads, --device, --precision and --conv-algorithm.
struct RuntimeSettings {
  std::int64_t threads = 0;
  std::string device = "cpu";
  std::string precision = "highest";
  std::string conv_algorithm = "automatic";

  void add_to(Settings& settings);
  /// The first two alone, for programs that use several precisions.
  void add_device_to(Settings& settings);
  /// --precision alone, for programs that use several algorithms.
  void add_precision_to(Settings& settings);
  /// Sets the number of threads, the precision and the algorithm and returns the device. Throws Error for a device that
  /// is not there and for more than 1024 threads.
  Device apply() const;
};

}  // namespace deft::support
