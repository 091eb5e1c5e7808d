// Products of tiles in shared memory, summed in the registers of a block's threads: d += a · bᵀ with d [rows, columns].
//
// Operands are either narrow, a [rows, tile_depth] and b [columns, tile_depth], or wide, a [tile_depth, rows] and
// b [tile_depth, columns]; lines are narrow_stride or wide_stride apart.
#pragma once

#include "deft/kernels/cuda/mma.h"
#include "deft/kernels/cuda/tile.h"

namespace deft::kernels {

enum class TileForm { narrow, wide };

/// By fused multiply-adds; each thread sums thread_rows × thread_columns elements of d.
template <class T, TileForm form, int rows_, int columns_, int thread_rows, int thread_columns>
class FmaProduct {
 public:
  using Element = T;
  static constexpr int rows = rows_, columns = columns_;
  static constexpr int across = columns / thread_columns, down = rows / thread_rows;
  static constexpr int threads = across * down;
  /// Columns that stand together in a thread.
  static constexpr int width = form == TileForm::narrow ? 1 : pack_width<T>;
  /// Depths whose operands are in registers together.
  static constexpr int step = form == TileForm::wide ? 1 : pack_width<T>;
  static_assert(across % 8 == 0 && down % 4 == 0);

  /// What a number becomes as a factor.
  __device__ static T rounded(T value) { return value; }

  __device__ FmaProduct() {
    // A warp is 8 threads across and 4 down, so that its reads of b fall into different banks.
    constexpr int warps_across = across / 8;
    const int warp = static_cast<int>(threadIdx.x) / warp_threads, lane = static_cast<int>(threadIdx.x) % warp_threads;
    row_ = warp / warps_across * 4 + lane / 8;
    column_ = warp % warps_across * 8 + lane % 8;
  }

  /// Adds the products of `depth` columns (narrow) or lines (wide) from `begin` on.
  template <int depth>
  __device__ void add(const T* a, const T* b, int begin) {
    DEFT_NO_UNROLL
    for (int k = begin; k < begin + depth; k += step) {
      if constexpr (form == TileForm::narrow) {
        add_narrow(a + k, b + k);
      } else {
        add_wide(a + k * wide_stride<rows>, b + k * wide_stride<columns>);
      }
    }
  }

  /// Calls body(row, column, pack) for the sums of this thread, in packs of `width`.
  template <class Body>
  __device__ void for_each(Body body) const {
    DEFT_UNROLL
    for (int i = 0; i < thread_rows; ++i) {
      DEFT_UNROLL
      for (int j = 0; j < thread_columns; j += width) {
        Pack<T, width> pack;
        DEFT_UNROLL
        for (int l = 0; l < width; ++l) pack[l] = sum_[i][j + l];
        body(place(row_, down, i), place(column_, across, j), pack);
      }
    }
  }

 private:
  /// The row or column of a thread's i-th one.
  __device__ static int place(int first, int threads_along, int i) {
    if constexpr (form == TileForm::narrow) return first + i * threads_along;
    return (first + i / width * threads_along) * width + i % width;
  }

  __device__ void add_narrow(const T* a, const T* b) {
    Pack<T, step> right[thread_columns];
    DEFT_UNROLL
    for (int j = 0; j < thread_columns; ++j) {
      right[j] = load_pack<step>(b + place(column_, across, j) * narrow_stride<T>);
    }
    DEFT_UNROLL
    for (int i = 0; i < thread_rows; ++i) {
      const auto left = load_pack<step>(a + place(row_, down, i) * narrow_stride<T>);
      DEFT_UNROLL
      for (int k = 0; k < step; ++k) {
        DEFT_UNROLL
        for (int j = 0; j < thread_columns; ++j) sum_[i][j] += left[k] * right[j][k];
      }
    }
  }

  __device__ void add_wide(const T* a, const T* b) {
    Pack<T, width> right[thread_columns / width];
    DEFT_UNROLL
    for (int j = 0; j < thread_columns; j += width) right[j / width] = load_pack<width>(b + place(column_, across, j));
    DEFT_UNROLL
    for (int i = 0; i < thread_rows; i += width) {
      const auto left = load_pack<width>(a + place(row_, down, i));
      DEFT_UNROLL
      for (int l = 0; l < width; ++l) {
        DEFT_UNROLL
        for (int j = 0; j < thread_columns; ++j) sum_[i + l][j] += left[l] * right[j / width][j % width];
      }
    }
  }

  int row_, column_;
  T sum_[thread_rows][thread_columns] = {};
};

/// The operands that hold numbers as they are; the others hold what rounded() makes of them.
enum class Raw { left, right, both };

/// By tensor cores; each warp sums warp_rows × warp_columns elements of d.
template <TileForm form, Raw raw, int rows_, int columns_, int warp_rows, int warp_columns>
class Tf32Product {
 public:
  using Element = float;
  static constexpr int rows = rows_, columns = columns_;
  static constexpr int across = columns / warp_columns, down = rows / warp_rows;  // warps
  static constexpr int threads = across * down * warp_threads;
  static constexpr int width = 2, step = 8;

  __device__ static float rounded(float value) { return round_to_tf32(value); }

  __device__ Tf32Product() {
    const int warp = static_cast<int>(threadIdx.x) / warp_threads, lane = static_cast<int>(threadIdx.x) % warp_threads;
    row_ = warp / across * warp_rows + lane / 4;
    column_ = warp % across * warp_columns + lane / 4;
    quarter_ = lane % 4;
  }

  template <int depth>
  __device__ void add(const float* a, const float* b, int begin) {
    DEFT_UNROLL
    for (int from = begin; from < begin + depth; from += step) {
      const int k = from + quarter_;
      float right[tiles_across][2];
      DEFT_UNROLL
      for (int j = 0; j < tiles_across; ++j) {
        right[j][0] = factor<raw != Raw::left>(b[at<columns>(column_ + j * 8, k)]);
        right[j][1] = factor<raw != Raw::left>(b[at<columns>(column_ + j * 8, k + 4)]);
      }
      DEFT_UNROLL
      for (int i = 0; i < tiles_down; ++i) {
        const int row = row_ + i * 16;
        float left[4];
        DEFT_UNROLL
        for (int l = 0; l < 4; ++l) left[l] = factor<raw != Raw::right>(a[at<rows>(row + l % 2 * 8, k + l / 2 * 4)]);
        DEFT_UNROLL
        for (int j = 0; j < tiles_across; ++j) mma_tf32(sum_[i][j], left, right[j]);
      }
    }
  }

  template <class Body>
  __device__ void for_each(Body body) const {
    DEFT_UNROLL
    for (int i = 0; i < tiles_down; ++i) {
      DEFT_UNROLL
      for (int j = 0; j < tiles_across; ++j) {
        const int column = column_ / 8 * 8 + j * 8 + quarter_ * 2;
        body(row_ + i * 16, column, Pack<float, 2>{{sum_[i][j][0], sum_[i][j][1]}});
        body(row_ + i * 16 + 8, column, Pack<float, 2>{{sum_[i][j][2], sum_[i][j][3]}});
      }
    }
  }

 private:
  static constexpr int tiles_down = warp_rows / 16, tiles_across = warp_columns / 8;

  template <bool is_raw>
  __device__ static float factor(float value) {
    return is_raw ? rounded(value) : value;
  }

  /// Where an operand has depth k of a row (or column, of b).
  template <int length>
  __device__ static int at(int row, int k) {
    return form == TileForm::narrow ? row * narrow_stride<float> + k : k * wide_stride<length> + row;
  }

  int row_, column_, quarter_;
  float sum_[tiles_down][tiles_across][4] = {};
};

}  // namespace deft::kernels
