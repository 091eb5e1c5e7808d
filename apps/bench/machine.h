// The machine that benchmarks run on, and its ceilings, measured in the same run.
#pragma once

#include <string>

#include "deft/kernels/runtime/device.h"
#include "deft/kernels/runtime/precision.h"

namespace deft::bench {

/// A device and the most that it can do.
struct Machine {
  Device device;
  std::string name;        ///< processor and cores, and before them the GPU if that is measured
  int threads = 0;         ///< of the processor
  double copy_gb_s = 0;    ///< 10⁹ bytes, read and written, per second of a copy far larger than the caches
  double peak_gflops = 0;  ///< float32: CPU, fused multiply-adds (fma_peak.h); GPU, a product at precision `highest`
  bool tiny = false;       ///< measured at sizes that only try the code: the bandwidth is that of a cache
  double tf32_gflops = 0;  ///< on a GPU, the same product at precision `tf32`

  /// The arithmetic ceiling of float32 matrix products.
  double gflops(MatmulPrecision precision) const {
    return device.is_cuda() && precision == MatmulPrecision::tf32 ? tf32_gflops : peak_gflops;
  }
};

/// Measures the device, the CPU with num_threads() threads. `tiny`: at sizes that only try the code.
Machine measure_machine(Device device, bool tiny = false);

/// The line that benchmarks print first.
std::string to_string(const Machine& machine);

}  // namespace deft::bench
