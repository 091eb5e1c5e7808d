// What the tests of the convolution kernels share: random values, comparison, and the grid of shapes.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "deft/kernels/conv2d.h"
#include "deft/kernels/parallel_for.h"
#include "deft/kernels/philox.h"

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

/// Sizes and options that exercise every branch: odd sizes, channels that fill no vector, every option unequal in the
/// two directions, several pieces of work, and nothing to do.
inline std::vector<NamedShape> conv_shapes() {
  return {
      {"3x3",
       {.n = 2,
        .h = 7,
        .w = 6,
        .c = 16,
        .o = 16,
        .kernel_h = 3,
        .kernel_w = 3,
        .pad_top = 1,
        .pad_bottom = 1,
        .pad_left = 1,
        .pad_right = 1}},
      {"one pixel", {.n = 1, .h = 1, .w = 1, .c = 3, .o = 5}},
      {"1x1 kernel", {.n = 3, .h = 5, .w = 5, .c = 17, .o = 9}},
      {"one channel in",
       {.n = 2,
        .h = 9,
        .w = 11,
        .c = 1,
        .o = 32,
        .kernel_h = 3,
        .kernel_w = 3,
        .pad_top = 1,
        .pad_bottom = 1,
        .pad_left = 1,
        .pad_right = 1}},
      {"channels in no vector", {.n = 2, .h = 6, .w = 5, .c = 5, .o = 18, .kernel_h = 3, .kernel_w = 2, .pad_left = 1}},
      {"offset conv",
       {.n = 2,
        .h = 7,
        .w = 7,
        .c = 32,
        .o = 18,
        .kernel_h = 3,
        .kernel_w = 3,
        .pad_top = 1,
        .pad_bottom = 1,
        .pad_left = 1,
        .pad_right = 1}},
      {"stride 2",
       {.n = 2,
        .h = 9,
        .w = 8,
        .c = 8,
        .o = 33,
        .kernel_h = 3,
        .kernel_w = 3,
        .stride_h = 2,
        .stride_w = 2,
        .pad_bottom = 1,
        .pad_right = 1}},
      {"stride beyond the kernel",
       {.n = 1, .h = 11, .w = 10, .c = 4, .o = 6, .kernel_h = 2, .kernel_w = 1, .stride_h = 3, .stride_w = 4}},
      {"unequal everything",
       {.n = 2,
        .h = 13,
        .w = 10,
        .c = 12,
        .o = 8,
        .kernel_h = 3,
        .kernel_w = 5,
        .stride_h = 2,
        .stride_w = 3,
        .pad_top = 2,
        .pad_bottom = 1,
        .pad_left = 3,
        .pad_right = 4,
        .dilation_h = 3,
        .dilation_w = 2,
        .groups = 4}},
      {"even kernel, dilation 2",
       {.n = 1,
        .h = 8,
        .w = 9,
        .c = 6,
        .o = 10,
        .kernel_h = 4,
        .kernel_w = 2,
        .pad_top = 3,
        .pad_right = 2,
        .dilation_h = 2,
        .dilation_w = 2,
        .groups = 2}},
      {"dilation 2, stride 2",
       {.n = 1,
        .h = 12,
        .w = 12,
        .c = 3,
        .o = 3,
        .kernel_h = 3,
        .kernel_w = 3,
        .stride_h = 2,
        .stride_w = 2,
        .pad_top = 2,
        .pad_bottom = 2,
        .pad_left = 2,
        .pad_right = 2,
        .dilation_h = 2,
        .dilation_w = 2}},
      {"depthwise",
       {.n = 2,
        .h = 6,
        .w = 7,
        .c = 20,
        .o = 20,
        .kernel_h = 3,
        .kernel_w = 3,
        .pad_top = 1,
        .pad_bottom = 1,
        .pad_left = 1,
        .pad_right = 1,
        .groups = 20}},
      {"kernel of the image's size", {.n = 3, .h = 5, .w = 4, .c = 7, .o = 19, .kernel_h = 5, .kernel_w = 4}},
      {"padding beyond the image",
       {.n = 1,
        .h = 2,
        .w = 2,
        .c = 2,
        .o = 2,
        .kernel_h = 3,
        .kernel_w = 3,
        .pad_top = 4,
        .pad_bottom = 5,
        .pad_left = 6,
        .pad_right = 3}},
      {"several pieces",
       {.n = 9,
        .h = 17,
        .w = 15,
        .c = 16,
        .o = 24,
        .kernel_h = 3,
        .kernel_w = 3,
        .pad_top = 1,
        .pad_bottom = 1,
        .pad_left = 1,
        .pad_right = 1}},
      {"bands of one image",
       {.n = 1,
        .h = 40,
        .w = 37,
        .c = 20,
        .o = 12,
        .kernel_h = 3,
        .kernel_w = 3,
        .pad_top = 1,
        .pad_bottom = 1,
        .pad_left = 1,
        .pad_right = 1}},
      {"deep panel",
       {.n = 1,
        .h = 4,
        .w = 5,
        .c = 70,
        .o = 40,
        .kernel_h = 3,
        .kernel_w = 3,
        .pad_top = 1,
        .pad_bottom = 1,
        .pad_left = 1,
        .pad_right = 1}},
      {"many small images", {.n = 600, .h = 2, .w = 2, .c = 4, .o = 3, .kernel_h = 2, .kernel_w = 2}},
      {"empty batch", {.n = 0, .h = 5, .w = 5, .c = 4, .o = 4, .kernel_h = 3, .kernel_w = 3}},
      {"no output rows", {.n = 2, .h = 2, .w = 5, .c = 4, .o = 4, .kernel_h = 3, .kernel_w = 3}},
      {"no channels in", {.n = 2, .h = 4, .w = 4, .c = 0, .o = 3, .kernel_h = 3, .kernel_w = 3}},
      {"no channels out", {.n = 2, .h = 4, .w = 4, .c = 3, .o = 0, .kernel_h = 3, .kernel_w = 3}},
  };
}

}  // namespace deft
