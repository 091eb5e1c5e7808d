#include "deft/apps/support/machine.h"

#include <fmt/format.h>

#include <fstream>

#include "deft/kernels/runtime/parallel_for.h"

namespace deft::support {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

std::string machine_name(Device device) {
  const int cores = available_cores();
  const std::string gpu = device.is_cuda() ? gpu_name(device) + ", " : "";
  return fmt::format("{}{}, {} core{}", gpu, processor_name(), cores, cores == 1 ? "" : "s");
}

}  // namespace deft::support
