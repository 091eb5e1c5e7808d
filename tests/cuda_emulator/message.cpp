#include "message.h"

#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace cuda_emulator {

void fail(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "cuda emulator: %s\n", text.c_str());
  std::abort();
}

std::string to_string(const dim3& index) {
  char text[40];
  std::snprintf(text, sizeof(text), "(%u, %u, %u)", index.x, index.y, index.z);
  return text;
}

std::string place(const char* file, int line) {
  const char* slash = std::strrchr(file, '/');
  return std::string(slash == nullptr ? file : slash + 1) + ":" + std::to_string(line);
}

std::string kernel_name(const void* kernel) {
  Dl_info info{};
  if (dladdr(kernel, &info) == 0 || info.dli_sname == nullptr || info.dli_saddr != kernel) return "";
  int status = 0;
  char* demangled = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
  const std::string name = status == 0 ? demangled : info.dli_sname;
  std::free(demangled);
  return name;
}

std::string describe(const Launch& launch) {
  std::string name = kernel_name(launch.kernel);
  if (!name.empty()) name += ' ';
  return "kernel " + name + "launched at " + place(launch.file, launch.line);
}

}  // namespace cuda_emulator
