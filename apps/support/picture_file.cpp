#include "deft/apps/support/picture_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

namespace deft::support {

void require_ending(const std::string& flag, const std::string& path, const std::vector<std::string>& endings) {
  const auto fits = [&](const std::string& ending) { return path.ends_with(ending); };
  if (std::any_of(endings.begin(), endings.end(), fits)) return;
  throw Error(fmt::format("{} is '{}', expected a name that ends in one of {}", flag, path, fmt::join(endings, ", ")));
}

const std::vector<std::string>& picture_endings() {
  static const std::vector<std::string> endings = {".png", ".svg"};
  return endings;
}

void write_picture(const std::string& path, const Canvas& canvas) {
  write_file(path, path.ends_with(".svg") ? canvas.svg() : canvas.png());
}

}  // namespace deft::support
