#include "deft/layers/options.h"

#include <fmt/format.h>

namespace deft {

std::string to_string(const Size2& size) { return fmt::format("{}×{}", size.h, size.w); }

std::string to_string(const Padding2& padding) {
  return fmt::format("[{}, {}, {}, {}]", padding.top, padding.bottom, padding.left, padding.right);
}

}  // namespace deft
