#include "deft/apps/support/runtime.h"

#include <fmt/format.h>

#include "deft/kernels/conv_algorithm.h"
#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/parallel_for.h"
#include "deft/kernels/runtime/precision.h"

namespace deft::support {

namespace {

constexpr std::int64_t most_threads = 1024;  // more is a slip of the finger, and the system might not have them

}  // namespace

void RuntimeSettings::add_device_to(Settings& settings) {
  settings.add("threads", threads, "processor threads, 0: one per core; results do not depend on it");
  settings.add("device", device, "where to compute: cpu, cuda or cuda:N");
}

void RuntimeSettings::add_precision_to(Settings& settings) {
  settings.add("precision", precision, "of float32 products on a GPU; tf32 uses its tensor cores", {"highest", "tf32"});
}

void RuntimeSettings::add_to(Settings& settings) {
  add_device_to(settings);
  add_precision_to(settings);
  settings.add("conv_algorithm", conv_algorithm, "of 3x3 convolutions on the CPU", {"automatic", "direct", "winograd"});
}

Device RuntimeSettings::apply() const {
  if (threads > most_threads) {
    throw Error(fmt::format("threads is {}, expected at most {}", threads, most_threads));
  }
  if (threads > 0) set_num_threads(static_cast<int>(threads));
  const Device chosen = Device::parse(device);
  require_device(chosen);
  set_matmul_precision(precision == "tf32" ? MatmulPrecision::tf32 : MatmulPrecision::highest);
  set_conv2d_algorithm(conv_algorithm == "direct"     ? Conv2dAlgorithm::direct
                       : conv_algorithm == "winograd" ? Conv2dAlgorithm::winograd
                                                      : Conv2dAlgorithm::automatic);
  return chosen;
}

}  // namespace deft::support
