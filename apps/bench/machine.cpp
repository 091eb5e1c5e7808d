#include "deft/apps/bench/machine.h"

#include <fmt/format.h>

#include "deft/apps/bench/fma_peak.h"
#include "deft/apps/bench/timing.h"
#include "deft/apps/support/machine.h"
#include "deft/core/random.h"
#include "deft/kernels/matmul.h"
#include "deft/kernels/runtime/dispatch.h"
#include "deft/kernels/runtime/instruction_set.h"
#include "deft/kernels/runtime/memory.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::bench {

namespace {

// How large what is timed is, and for how long.
struct Effort {
  std::int64_t copied_elements = 1 << 26, matrix_side = 8192;
  double seconds = 0.3;
};

double copy_gb_s(Device device, const Effort& effort) {
  const Tensor source = randn({effort.copied_elements}, {.device = device});
  Tensor target = empty_like(source);
  const auto bytes = static_cast<std::size_t>(effort.copied_elements) * sizeof(float);
  const auto copy = [&] { copy_memory(device, target.mutable_data<float>(), device, source.data<float>(), bytes); };
  return 2e-6 * static_cast<double>(bytes) / time_interleaved({copy}, effort.seconds, device)[0].median_ms;
}

double matmul_gflops(Device device, const Effort& effort, MatmulPrecision precision) {
  const std::int64_t size = effort.matrix_side;
  const Tensor a = randn({size, size}, {.device = device}), b = randn({size, size}, {.device = device});
  Tensor output = empty_like(a);
  kernels::MatmulShape shape;
  shape.m = shape.n = shape.k = size;
  const auto multiply = [&] {
    set_matmul_precision(precision);
    on_place(device, [&](auto d) {
      kernels::matmul<float>(d, shape, a.data<float>(), b.data<float>(), nullptr, output.mutable_data<float>());
    });
  };
  const double operations = 2.0 * static_cast<double>(size) * static_cast<double>(size) * static_cast<double>(size);
  return 1e-6 * operations / time_interleaved({multiply}, effort.seconds, device)[0].median_ms;
}

}  // namespace

Machine measure_machine(Device device, bool tiny) {
  Machine machine;
  machine.device = device;
  machine.name = support::machine_name(device);
  machine.threads = num_threads();
  machine.tiny = tiny;
  const Effort effort = tiny ? Effort{1 << 12, 32, 0} : Effort{};
  machine.copy_gb_s = copy_gb_s(device, effort);
  if (device.is_cpu()) {
    machine.peak_gflops = fma_burst_gflops(time_interleaved({run_fma_burst}, effort.seconds)[0]);
    return machine;
  }
  const MatmulPrecision precision = matmul_precision();
  machine.peak_gflops = matmul_gflops(device, effort, MatmulPrecision::highest);
  machine.tf32_gflops = matmul_gflops(device, effort, MatmulPrecision::tf32);
  set_matmul_precision(precision);
  return machine;
}

std::string to_string(const Machine& machine) {
  const char* copies = machine.tiny ? "copies in the cache" : "copies";
  if (machine.device.is_cpu()) {
    return fmt::format(
        "{}; {} thread{}, {} kernels: {:.0f} GFLOP/s of independent fused multiply-adds, {} at {:.1f} GB/s",
        machine.name, machine.threads, machine.threads == 1 ? "" : "s", to_string(instruction_set()),
        machine.peak_gflops, copies, machine.copy_gb_s);
  }
  return fmt::format("{}: matrix products at {:.1f} TFLOP/s in float32 and {:.1f} with TF32, {} at {:.0f} GB/s",
                     machine.name, 1e-3 * machine.peak_gflops, 1e-3 * machine.tf32_gflops, copies, machine.copy_gb_s);
}

}  // namespace deft::bench
