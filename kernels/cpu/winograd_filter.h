// The filters of Winograd's convolution, transformed and packed as right matrices, one per frequency.
#pragma once

#include <cstdint>

#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/cpu/winograd_transform.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels::DEFT_SIMD {

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
        transpose<float>(square);
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
