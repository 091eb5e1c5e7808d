// Devices, and the tags by which functions for the CPU and for a GPU overload.
#pragma once

#include <string>

namespace deft {

enum class DeviceType { cpu, cuda };

/// A place where tensors live and kernels run: `Device::cpu()` or `Device::cuda(index)`.
struct Device {
  DeviceType type = DeviceType::cpu;
  int index = 0;

  static Device cpu() { return {DeviceType::cpu, 0}; }
  static Device cuda(int index = 0) { return {DeviceType::cuda, index}; }

  /// Reads "cpu", "cuda" or "cuda:N". Throws Error for anything else.
  static Device parse(const std::string& text);

  bool is_cpu() const { return type == DeviceType::cpu; }
  bool is_cuda() const { return type == DeviceType::cuda; }
  friend bool operator==(Device a, Device b) { return a.type == b.type && a.index == b.index; }
  friend bool operator!=(Device a, Device b) { return !(a == b); }
};

/// "cpu" or "cuda:0".
std::string to_string(Device device);

/// Throws Error when kernels cannot run on `device`, saying why (not built in, or no such GPU).
void require_device(Device device);

/// GPUs on which kernels can run; 0 in a build without CUDA.
int cuda_device_count();

/// The name that a GPU's driver gives it ("NVIDIA H200"). Throws Error as require_device does, and for the CPU.
std::string gpu_name(Device device);

namespace kernels {

/// First argument of functions for the CPU. Kernels take the Set of an instruction set, which derives from it
/// (contract.h).
struct Cpu {};

/// First argument of functions for a GPU, the one with this index.
struct Cuda {
  int index = 0;
};

}  // namespace kernels
}  // namespace deft
