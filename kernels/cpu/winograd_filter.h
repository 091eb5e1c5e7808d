// The filters of Winograd's convolution, transformed and packed as right matrices, one per frequency.
#pragma once

#include <cstdint>
#include <utility>

#include "deft/kernels/allocator.h"
#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/cpu/winograd_transform.h"
#include "deft/kernels/parallel_for.h"

namespace deft::kernels::DEFT_SIMD {

/// The lanes [half · n, half · n + n / 2) of a and b in turn.
template <int half, class V, int... i>
inline V interleave(V a, V b, std::integer_sequence<int, i...>) {
  constexpr int n = sizeof...(i);
  return __builtin_shufflevector(a, b, (half * n / 2 + i / 2 + i % 2 * n)...);
}

/// Transposes a square of lanes × lanes elements.
__attribute__((no_sanitize("undefined"))) inline void transpose(Vector<float> (&rows)[lanes<float>]) {
  constexpr int n = static_cast<int>(lanes<float>);
  constexpr auto indices = std::make_integer_sequence<int, n>();
  DEFT_UNROLL
  for (int step = 1; step < n; step *= 2) {  // each step turns a bit of the row's number into one of the lane's
    Vector<float> turned[n];
    DEFT_UNROLL
    for (int i = 0; i < n / 2; ++i) {
      turned[2 * i] = interleave<0>(rows[i], rows[i + n / 2], indices);
      turned[2 * i + 1] = interleave<1>(rows[i], rows[i + n / 2], indices);
    }
    DEFT_UNROLL
    for (int i = 0; i < n; ++i) rows[i] = turned[i];
  }
}

class WinogradFilter {
 public:
  /// Right matrices [depth, outputs].
  WinogradFilter(std::int64_t depth, std::int64_t outputs)
      : depth_(depth),
        outputs_(outputs),
        // A cache line more than a power of two, or all frequencies would share a few sets of the caches.
        stride_(packed_size<float>(depth, outputs) + lanes<float>),
        data_(winograd_products * stride_) {}

  /// weight [outputs, 3, 3, depth].
  void set_forward(const float* weight) {
    const std::int64_t row = taps * depth_;
    for_columns([=, this](std::int64_t first, float* to) {
      Scratch<float> transposed(round_up_to_lanes<float>(row) * lanes<float>);
      for (std::int64_t at = 0; at < row; at += lanes<float>) {
        Vector<float> square[lanes<float>];
        for (std::int64_t i = 0; i < lanes<float>; ++i) {
          square[i] = first + i < outputs_ ? load_first(weight + (first + i) * row + at, row - at) : Vector<float>{};
        }
        transpose(square);
        for (std::int64_t i = 0; i < lanes<float>; ++i) store(&transposed[(at + i) * lanes<float>], square[i]);
      }
      for (std::int64_t p = 0; p < depth_; ++p) {
        to_frequencies<FilterTransform>(
            [&](int y, int x) { return load(&transposed[((3 * y + x) * depth_ + p) * lanes<float>]); },
            to + p * tile_columns<float>, stride_);
      }
    });
  }

  /// weight [depth, 3, 3, outputs], turned by half a circle.
  void set_backward(const float* weight) {
    for_columns([=, this](std::int64_t first, float* to) {
      for (std::int64_t p = 0; p < depth_; ++p) {
        const float* const filters = weight + p * taps * outputs_ + first;
        to_frequencies<FilterTransform>(
            [&](int y, int x) { return load_first(filters + (8 - 3 * y - x) * outputs_, outputs_ - first); },
            to + p * tile_columns<float>, stride_);
      }
    });
  }

  RightMatrix<float> matrix(int frequency) const { return packed(data_.data() + frequency * stride_, depth_); }

 private:
  static constexpr int taps = 9;

  /// Calls body(first output, its element of the first matrix) for each vector of outputs.
  template <class Body>
  void for_columns(Body&& body) {
    parallel_for((outputs_ + lanes<float> - 1) / lanes<float>, [&](std::int64_t i) {
      const std::int64_t first = i * lanes<float>, block = first / tile_columns<float>;
      body(first, data_.data() + block * depth_ * tile_columns<float> + first % tile_columns<float>);
    });
  }

  std::int64_t depth_, outputs_, stride_;
  Scratch<float> data_;
};

}  // namespace deft::kernels::DEFT_SIMD
