#include "deft/apps/support/machine.h"

#include <fmt/format.h>
#include <omp.h>

#include <fstream>

namespace deft::support {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

// OpenMP counts them before OMP_PROC_BIND ties this thread to one.
int available_cores() { return omp_get_num_procs(); }

std::string machine_name() {
  const int cores = available_cores();
  return fmt::format("{}, {} core{}", processor_name(), cores, cores == 1 ? "" : "s");
}

}  // namespace deft::support
