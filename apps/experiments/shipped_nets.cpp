#include "deft/apps/experiments/shipped_nets.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

namespace fs = std::filesystem;

constexpr const char* ending = ".safetensors";

// From the place of the running program.
fs::path models_folder() {
  return (fs::read_symlink("/proc/self/exe").parent_path() / DEFT_MODELS_FROM_PROGRAM).lexically_normal();
}

}  // namespace

std::vector<std::string> shipped_nets() {
  std::vector<std::string> names;
  std::error_code missing;
  for (const fs::directory_entry& entry : fs::directory_iterator(models_folder(), missing)) {
    if (entry.path().extension() == ending) names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string shipped_weights(const std::string& name) {
  const fs::path file = models_folder() / (name + ending);
  if (fs::exists(file)) return file.string();
  throw Error(
      fmt::format("{}: is missing, the net {} that comes with deft; --weights names another one", file.string(), name));
}

}  // namespace deft::apps
