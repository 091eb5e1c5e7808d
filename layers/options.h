// Option types that layers share.
#pragma once

#include <cstdint>
#include <string>

namespace deft {

/// Height and width: `{.kernel_size = 3}` or `{.kernel_size = {3, 5}}`.
struct Size2 {
  std::int64_t h = 0, w = 0;

  constexpr Size2() = default;
  constexpr Size2(std::int64_t both) : h(both), w(both) {}
  constexpr Size2(std::int64_t height, std::int64_t width) : h(height), w(width) {}

  friend bool operator==(const Size2& a, const Size2& b) { return a.h == b.h && a.w == b.w; }
};

/// Pixels added around an image: `1` on all sides, `{1, 2}` above and below and at both sides, or
/// `{top, bottom, left, right}`.
struct Padding2 {
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;

  constexpr Padding2() = default;
  constexpr Padding2(std::int64_t all) : top(all), bottom(all), left(all), right(all) {}
  constexpr Padding2(std::int64_t height, std::int64_t width)
      : top(height), bottom(height), left(width), right(width) {}
  constexpr Padding2(std::int64_t t, std::int64_t b, std::int64_t l, std::int64_t r)
      : top(t), bottom(b), left(l), right(r) {}

  friend bool operator==(const Padding2& a, const Padding2& b) {
    return a.top == b.top && a.bottom == b.bottom && a.left == b.left && a.right == b.right;
  }
};

/// "3×5".
std::string to_string(const Size2& size);
/// "[1, 1, 2, 2]": top, bottom, left, right.
std::string to_string(const Padding2& padding);

namespace detail {
/// Throw Error in the name of `op` unless both sizes are at least 1, all paddings at least 0, and all below 2³¹, which
/// keeps sums and products of two of them within 64 bits.
void require_range(const char* op, const char* name, const Size2& size);
void require_range(const char* op, const char* name, const Padding2& padding);
}  // namespace detail

}  // namespace deft
