#include "deft/kernels/runtime/device.h"

#include <charconv>

#include "deft/kernels/runtime/dispatch.h"

namespace deft {

Device Device::parse(const std::string& text) {
  if (text == "cpu") return Device::cpu();
  if (text == "cuda") return Device::cuda();
  if (text.rfind("cuda:", 0) == 0 && text.size() > 5) {
    int index = -1;
    const auto [end, error] = std::from_chars(text.data() + 5, text.data() + text.size(), index);
    if (error == std::errc() && end == text.data() + text.size() && index >= 0) return Device::cuda(index);
  }
  throw Error("device: '" + text + "', expected cpu, cuda or cuda:N");
}

std::string to_string(Device device) { return device.is_cpu() ? "cpu" : "cuda:" + std::to_string(device.index); }

namespace kernels {
// These stand in kernels/runtime/cuda/context.cu.
void require_device(Cuda device);
int cuda_device_count();
std::string gpu_name(Cuda device);

static void require_device(Cpu) {}
static std::string gpu_name(Cpu) { throw Error("gpu_name: device is cpu, expected a GPU"); }
}  // namespace kernels

void require_device(Device device) {
  on_device(device, [](auto d) { kernels::require_device(d); });
}

int cuda_device_count() {
  if constexpr (built_with_cuda) return kernels::cuda_device_count();
  return 0;
}

std::string gpu_name(Device device) {
  return on_device(device, [](auto d) { return kernels::gpu_name(d); });
}

}  // namespace deft
