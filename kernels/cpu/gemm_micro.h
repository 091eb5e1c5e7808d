// The matrix product of a block that lies in the L2 cache: c = start + a · b, without copying a or b.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/cpu/simd.h"

namespace deft::kernels::DEFT_SIMD {

/// Tile of c in registers: with 32 vector registers 12 × 2 vectors, with 16 registers 6 × 2.
constexpr int tile_rows = DEFT_SIMD_BYTES == 64 ? 12 : 6;
constexpr int tile_vectors = 2;

/// Columns of a tile, and width of the column blocks of a packed matrix.
template <class T>
constexpr std::int64_t tile_columns = tile_vectors* lanes<T>;

/// Steps of the inner product taken at once, so that a column block of `b` stays in the L1 cache.
constexpr std::int64_t gemm_depth = 320;

/// Where the left matrix [m, k] lies: element (i, p) is data[i · stride + p] or, transposed, data[p · stride + i].
enum class Layout { rows, transposed };

/// The right matrix [k, n]: row p of column block j begins at data + j · block_stride + p · row_stride, and whole
/// vectors can be read from it even where n ends.
template <class T>
struct RightMatrix {
  const T* data;
  std::int64_t row_stride, block_stride;
};

/// A matrix that is not packed: rows of `stride` elements.
template <class T>
RightMatrix<T> unpacked(const T* data, std::int64_t stride) {
  return {data, stride, tile_columns<T>};
}

/// Elements of a packed right matrix [k, n].
template <class T>
std::int64_t packed_size(std::int64_t k, std::int64_t n) {
  return (n + tile_columns<T> - 1) / tile_columns<T> * tile_columns<T> * k;
}

/// A packed right matrix [k, n]: blocks [k, tile_columns], one after the other.
template <class T>
RightMatrix<T> packed(const T* data, std::int64_t k) {
  return {data, tile_columns<T>, k * tile_columns<T>};
}

/// c [m, n] (rows of c_stride elements) = start + a · b. `b` is packed, or `a` transposed. `start` is null (zeros), or
/// has rows of start_stride elements: stride 0 adds a bias, `c` itself accumulates. Exactly n columns of c are written.
template <class T, Layout layout>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t a_stride, const RightMatrix<T>& b,
          const T* start, std::int64_t start_stride, T* c, std::int64_t c_stride);

/// Contiguous elements of a gathered row: where they lie relative to the row's origin, and how many they are.
struct Run {
  std::int64_t displacement, count;
};

/// A left matrix [m, k] that is nowhere written out: row i consists of the runs at data + origins[i], one after the
/// other, each of at most gemm_depth elements.
template <class T>
struct GatheredRows {
  const T* data;
  const std::int64_t* origins;  // [m]
  const Run* runs;
  std::int64_t run_count;
};

/// As gemm, of a gathered left matrix and a packed right one.
template <class T>
void gemm_gathered(std::int64_t m, std::int64_t n, const GatheredRows<T>& a, const RightMatrix<T>& b, const T* start,
                   std::int64_t start_stride, T* c, std::int64_t c_stride);

/// Steps of an inner product whose rows lie at even distances: the first row's place in each matrix, and their number.
struct Strip {
  std::int64_t a, b, count;
};

/// c [m, n] += aᵀ · b over the rows of the strips, `a_stride` and `b_stride` elements apart. Whole vectors can be read
/// from the rows of b.
template <class T>
void gemm_transposed_strips(std::int64_t m, std::int64_t n, const T* a, std::int64_t a_stride, const T* b,
                            std::int64_t b_stride, const Strip* strips, std::int64_t strip_count, T* c,
                            std::int64_t c_stride);

/// Writes rows [first, first + rows) of a packed [k, n]: element (first + p, j) = from[p · row_stride + j ·
/// column_stride]; columns from n to the end of its vector become zeros. One of the strides is 1.
template <class T>
void pack(std::int64_t k, std::int64_t n, std::int64_t first, std::int64_t rows, const T* from, std::int64_t row_stride,
          std::int64_t column_stride, T* to);

}  // namespace deft::kernels::DEFT_SIMD
