#include "deft/apps/nets/shipped_nets.h"

#include <fmt/format.h>

#include <filesystem>

#include "deft/kernels/error.h"

namespace deft::apps {

namespace fs = std::filesystem;

const std::vector<std::string>& shipped_nets() {
  static const std::vector<std::string> names = {"e0_regular", "e0_deform_v2"};
  return names;
}

std::string shipped_weights(const std::string& name) {
  const fs::path program = fs::read_symlink("/proc/self/exe");
  const fs::path file = (program.parent_path() / DEFT_MODELS_FROM_PROGRAM / (name + ".safetensors")).lexically_normal();
  if (fs::exists(file)) return file.string();
  throw Error(
      fmt::format("{}: is missing, the net {} that comes with deft; --weights names another one", file.string(), name));
}

}  // namespace deft::apps
