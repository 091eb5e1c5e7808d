// What the tests of the convolution kernels share: random values, comparison, and the grid of shapes.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "deft/kernels/conv2d.h"
#include "deft/kernels/runtime/parallel_for.h"
#include "deft/kernels/runtime/philox.h"

namespace deft {

/// `n` values of the standard normal distribution that float represents.
inline std::vector<double> random_values(std::int64_t n, std::uint64_t seed) {
  PhiloxSequence sequence(seed, 0);
  std::vector<double> values(static_cast<std::size_t>(n));
  for (double& value : values) value = static_cast<float>(sequence.normal());
  return values;
}

template <class T>
std::vector<T> cast(const std::vector<double>& values) {
  return std::vector<T>(values.begin(), values.end());
}

/// max|a − b| / max|b|; infinite where one has a NaN or an infinity and the other differs.
template <class T>
double relative_error(const std::vector<T>& a, const std::vector<double>& b) {
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double value = static_cast<double>(a[i]);
    if (value == b[i] || (std::isnan(value) && std::isnan(b[i]))) {
      if (std::isfinite(b[i])) largest = std::fmax(largest, std::fabs(b[i]));
      continue;
    }
    if (!std::isfinite(value) || !std::isfinite(b[i])) return std::numeric_limits<double>::infinity();
    difference = std::fmax(difference, std::fabs(value - b[i]));
    largest = std::fmax(largest, std::fabs(b[i]));
  }
  return difference == 0 ? 0 : difference / largest;
}

/// Largest error of a kernel against the double oracle.
template <class T>
constexpr double kernel_tolerance = sizeof(T) == 4 ? 2e-6 : 1e-13;

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// Sets the number of threads for a scope.
class ThreadsScope {
 public:
  explicit ThreadsScope(int threads) : before_(num_threads()) { set_num_threads(threads); }
  ~ThreadsScope() { set_num_threads(before_); }
  ThreadsScope(const ThreadsScope&) = delete;
  ThreadsScope& operator=(const ThreadsScope&) = delete;

 private:
  int before_;
};

struct NamedShape {
  std::string name;
  kernels::Conv2dShape shape;
};

/// A 3×3 convolution, padded to keep the image's size.
inline kernels::Conv2dShape padded_3x3(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c, std::int64_t o,
                                       std::int64_t groups = 1) {
  kernels::Conv2dShape s;
  s.n = n, s.h = h, s.w = w, s.c = c, s.o = o, s.groups = groups;
  s.kernel_h = s.kernel_w = 3;
  s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = 1;
  return s;
}

/// Sizes and options that exercise every branch: odd sizes, channels that fill no vector, every option unequal in the
/// two directions, several pieces of work, and nothing to do.
inline std::vector<NamedShape> conv_shapes() {
  // n, h, w, c, o; kernel; strides; paddings top, bottom, left, right; dilations; groups.
  return {
      {"3x3", padded_3x3(2, 7, 6, 16, 16)},
      {"one pixel", {1, 1, 1, 3, 5}},
      {"1x1 kernel", {3, 5, 5, 17, 9}},
      {"one channel in", padded_3x3(2, 9, 11, 1, 32)},
      {"channels in no vector", {2, 6, 5, 5, 18, 3, 2, 1, 1, 0, 0, 1, 0}},
      {"usual channels", padded_3x3(1, 7, 7, 32, 18)},
      {"four vectors", padded_3x3(1, 5, 4, 64, 16)},
      {"eight vectors", padded_3x3(1, 3, 4, 128, 8)},
      {"stride 2", {2, 9, 8, 8, 33, 3, 3, 2, 2, 0, 1, 0, 1}},
      {"stride beyond the kernel", {1, 11, 10, 4, 6, 2, 1, 3, 4}},
      {"unequal everything", {2, 13, 10, 12, 8, 3, 5, 2, 3, 2, 1, 3, 4, 3, 2, 4}},
      {"even kernel, dilation 2", {1, 8, 9, 6, 10, 4, 2, 1, 1, 3, 0, 0, 2, 2, 2, 2}},
      {"dilation 2, stride 2", {1, 12, 12, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2}},
      {"dilation that skips rows", {2, 9, 7, 5, 6, 3, 2, 1, 1, 4, 4, 3, 3, 6, 5}},
      {"dilation that skips rows, stride 2", {1, 23, 9, 16, 6, 3, 3, 2, 2, 7, 9, 1, 1, 15, 1}},
      {"depthwise", padded_3x3(2, 6, 7, 20, 20, 20)},
      {"depthwise, dilation that skips rows", {1, 30, 90, 33, 33, 3, 3, 1, 1, 26, 26, 2, 2, 26, 2, 33}},
      {"depthwise, several pieces", padded_3x3(3, 40, 43, 32, 32, 32)},
      {"depthwise, unequal everything", {2, 13, 10, 33, 33, 3, 5, 2, 3, 2, 1, 3, 4, 3, 2, 33}},
      {"depthwise, no padding", {2, 5, 19, 5, 5, 2, 2, 1, 1, 0, 0, 0, 0, 1, 1, 5}},
      {"depthwise, stride beyond the kernel", {1, 11, 10, 3, 3, 2, 1, 3, 4, 0, 0, 0, 0, 1, 1, 3}},
      {"two outputs per channel", padded_3x3(2, 6, 7, 10, 20, 10)},
      {"kernel of the image's size", {3, 5, 4, 7, 19, 5, 4}},
      {"padding beyond the image", {1, 2, 2, 2, 2, 3, 3, 1, 1, 4, 5, 6, 3}},
      {"several pieces", padded_3x3(9, 12, 11, 16, 24)},
      {"bands of one image", padded_3x3(1, 40, 37, 20, 12)},
      {"deep panel", padded_3x3(1, 4, 5, 70, 40)},
      {"whole vectors, stride 2", {2, 9, 8, 32, 33, 3, 3, 2, 2, 0, 1, 0, 1}},
      {"whole vectors, dilation 2", {1, 9, 10, 16, 10, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2}},
      {"whole vectors, padding beyond the image", {2, 2, 3, 16, 5, 3, 3, 1, 1, 4, 5, 6, 3}},
      {"whole vectors, groups", padded_3x3(2, 6, 5, 32, 24, 2)},
      {"whole vectors, no padding", {2, 9, 8, 16, 20, 3, 3}},
      {"1x1 kernel, stride 2", {2, 7, 9, 16, 20, 1, 1, 2, 2}},
      {"runs in parts", padded_3x3(1, 4, 5, 128, 8)},
      {"output channels in parts", padded_3x3(1, 25, 24, 96, 80)},
      {"many small images", {600, 2, 2, 4, 3, 2, 2}},
      {"empty batch", {0, 5, 5, 4, 4, 3, 3}},
      {"empty batch, stride 2", {0, 5, 5, 4, 4, 3, 3, 2, 2}},
      {"no output rows", {2, 2, 5, 4, 4, 3, 3}},
      {"no channels in", {2, 4, 4, 0, 3, 3, 3}},
      {"no channels out", {2, 4, 4, 3, 0, 3, 3}},
  };
}

/// Whether this is one of the sizes for several pieces of the CPU's depthwise kernels. On the emulator they take minutes
/// of deformable convolution, where every group pads a tile of its own, and show nothing that smaller ones do not.
inline bool is_for_depthwise_pieces(const kernels::Conv2dShape& s) {
  return s.n * s.h_out() * s.w_out() * s.groups > 20'000;
}

}  // namespace deft
