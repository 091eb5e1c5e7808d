#include "deft/layers/options.h"

#include <fmt/format.h>

#include <initializer_list>

#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

template <class Option>
void require(const char* op, const char* name, const Option& option, std::int64_t least,
             std::initializer_list<std::int64_t> values) {
  constexpr std::int64_t limit = std::int64_t{1} << 31;
  for (const std::int64_t value : values) {
    if (value < least)
      throw Error(fmt::format("{}: {} is {}, expected at least {}", op, name, to_string(option), least));
    if (value >= limit) throw Error(fmt::format("{}: {} is {}, expected below {}", op, name, to_string(option), limit));
  }
}

}  // namespace

std::string to_string(const Size2& size) { return fmt::format("{}×{}", size.h, size.w); }

std::string to_string(const Padding2& padding) {
  return fmt::format("[{}, {}, {}, {}]", padding.top, padding.bottom, padding.left, padding.right);
}

namespace detail {

void require_range(const char* op, const char* name, const Size2& size) {
  require(op, name, size, 1, {size.h, size.w});
}

void require_range(const char* op, const char* name, const Padding2& padding) {
  require(op, name, padding, 0, {padding.top, padding.bottom, padding.left, padding.right});
}

}  // namespace detail
}  // namespace deft
