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

/// Loads `count` elements and zeros.
inline Vector<float> load_first(const float* from, std::int64_t count) {
  if (count >= lanes<float>) return load(from);
  float own[lanes<float>] = {};
  for (std::int64_t i = 0; i < count; ++i) own[i] = from[i];
  return load(own);
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
    for_squares([=, this](std::int64_t p, std::int64_t j, Square& square) {
      for (int tap = 0; tap < 9; ++tap) {
        for (int i = 0; i < lanes<float>; ++i) {
          square[tap][i] =
              j + i < outputs_ ? load_first(weight + ((j + i) * 9 + tap) * depth_ + p, depth_ - p) : Vector<float>{};
        }
        transpose(square[tap]);
      }
    });
  }

  /// weight [depth, 3, 3, outputs], turned by half a circle.
  void set_backward(const float* weight) {
    for_squares([=, this](std::int64_t p, std::int64_t j, Square& square) {
      for (int tap = 0; tap < 9; ++tap) {
        for (int i = 0; i < lanes<float> && p + i < depth_; ++i) {
          square[tap][i] = load_first(weight + ((p + i) * 9 + 8 - tap) * outputs_ + j, outputs_ - j);
        }
      }
    });
  }

  RightMatrix<float> matrix(int frequency) const { return packed(data_.data() + frequency * stride_, depth_); }

 private:
  /// Taps of filters: [tap][depth] and a vector of outputs.
  using Square = Vector<float>[9][lanes<float>];

  /// Calls fill(first depth, first output, square) for all squares of lanes × lanes filters, and transforms them.
  template <class Fill>
  void for_squares(Fill&& fill) {
    const std::int64_t across = (outputs_ + lanes<float> - 1) / lanes<float>;
    const std::int64_t squares = (depth_ + lanes<float> - 1) / lanes<float> * across;
    parallel_blocks(squares, 8, [&](std::int64_t begin, std::int64_t end) {
      Square square;
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t p = i / across * lanes<float>, j = i % across * lanes<float>;
        fill(p, j, square);
        float* const to =
            data_.data() + j / tile_columns<float> * depth_ * tile_columns<float> + j % tile_columns<float>;
        for (int in_square = 0; in_square < lanes<float> && p + in_square < depth_; ++in_square) {
          transform(square, in_square, to + (p + in_square) * tile_columns<float>);
        }
      }
    });
  }

  __attribute__((no_sanitize("undefined"))) void transform(const Square& square, int i, float* to) const {
    using V = Vector<float>;
    V half[winograd_inputs][3];
    DEFT_UNROLL
    for (int x = 0; x < 3; ++x) {
      const V column[3] = {square[x][i], square[3 + x][i], square[6 + x][i]};
      V transformed[winograd_inputs];
      winograd_filter(column, transformed);
      DEFT_UNROLL
      for (int y = 0; y < winograd_inputs; ++y) half[y][x] = transformed[y];
    }
    DEFT_UNROLL
    for (int y = 0; y < winograd_inputs; ++y) {
      V transformed[winograd_inputs];
      winograd_filter(half[y], transformed);
      DEFT_UNROLL
      for (int x = 0; x < winograd_inputs; ++x, to += stride_) store(to, transformed[x]);
    }
  }

  std::int64_t depth_, outputs_, stride_;
  Scratch<float> data_;
};

}  // namespace deft::kernels::DEFT_SIMD
