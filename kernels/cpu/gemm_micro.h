// The matrix product of a block that lies in the L2 cache: c = start + a · b, without copying a or b. A tile of c stays
// in registers while elements of `a` are broadcast against vectors of `b`'s rows.
#pragma once

#include <cstdint>

#include "deft/kernels/cpu/simd.h"

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

/// One tile. `start` (rows of start_stride; null means zeros) is readable to whole vectors; of the last vector of c,
/// `last` elements are written.
template <class T, Layout layout, int rows, int vectors>
void gemm_tile(std::int64_t k, const T* a, std::int64_t a_stride, const T* b, std::int64_t b_stride, const T* start,
               std::int64_t start_stride, T* c, std::int64_t c_stride, std::int64_t last) {
  Vector<T> sum[rows][vectors] = {};
  if (start != nullptr) {
    DEFT_UNROLL
    for (int i = 0; i < rows; ++i) {
      DEFT_UNROLL
      for (int j = 0; j < vectors; ++j) sum[i][j] = load(start + i * start_stride + j * lanes<T>);
    }
  }
  for (std::int64_t p = 0; p < k; ++p) {
    Vector<T> right[vectors];
    DEFT_UNROLL
    for (int j = 0; j < vectors; ++j) right[j] = load(b + j * lanes<T>);
    DEFT_UNROLL
    for (int i = 0; i < rows; ++i) {
      const Vector<T> left = broadcast(layout == Layout::rows ? a[i * a_stride] : a[i]);
      DEFT_UNROLL
      for (int j = 0; j < vectors; ++j) sum[i][j] += left * right[j];
    }
    a += layout == Layout::rows ? 1 : a_stride;
    b += b_stride;
  }
  DEFT_UNROLL
  for (int i = 0; i < rows; ++i) {
    DEFT_UNROLL
    for (int j = 0; j < vectors - 1; ++j) store(c + i * c_stride + j * lanes<T>, sum[i][j]);
    T* const end = c + i * c_stride + (vectors - 1) * lanes<T>;
    if (last == lanes<T>) {
      store(end, sum[i][vectors - 1]);
    } else {
      store_first(end, sum[i][vectors - 1], last);
    }
  }
}

/// gemm_tile for a number of rows from 1 to `rows`.
template <class T, Layout layout, int vectors, int rows = tile_rows>
void gemm_tile_of(int wanted, std::int64_t k, const T* a, std::int64_t a_stride, const T* b, std::int64_t b_stride,
                  const T* start, std::int64_t start_stride, T* c, std::int64_t c_stride, std::int64_t last) {
  if constexpr (rows > 1) {
    if (wanted < rows) {
      gemm_tile_of<T, layout, vectors, rows - 1>(wanted, k, a, a_stride, b, b_stride, start, start_stride, c, c_stride,
                                                 last);
      return;
    }
  }
  gemm_tile<T, layout, rows, vectors>(k, a, a_stride, b, b_stride, start, start_stride, c, c_stride, last);
}

/// c [m, n] (rows of c_stride elements) = start + a · b. `start` is null (zeros), or has rows of start_stride elements
/// readable to whole vectors: stride 0 adds a bias, `c` itself accumulates. Exactly n columns of c are written.
template <class T, Layout layout>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t a_stride, const RightMatrix<T>& b,
          const T* start, std::int64_t start_stride, T* c, std::int64_t c_stride) {
  const std::int64_t row_tiles = (m + tile_rows - 1) / tile_rows;
  for (std::int64_t column = 0, block = 0; column < n; column += tile_columns<T>, ++block) {
    const std::int64_t columns = n - column < tile_columns<T> ? n - column : tile_columns<T>;
    const std::int64_t last = (columns - 1) % lanes<T> + 1;
    // Resuming reads whole vectors of c, so where n ends amid one the product is taken in one go.
    const std::int64_t depth = last == lanes<T> || k == 0 ? gemm_depth : k;
    for (std::int64_t p = 0; p == 0 || p < k; p += depth) {
      const std::int64_t steps = k - p < depth ? k - p : depth;
      const T* const right = b.data + block * b.block_stride + p * b.row_stride;
      for (std::int64_t tile = 0; tile < row_tiles; ++tile) {
        // Rows are dealt evenly: a short last tile would wait for the latency of its few sums.
        const std::int64_t row = m * tile / row_tiles;
        const int rows = static_cast<int>(m * (tile + 1) / row_tiles - row);
        const T* const left = a + (layout == Layout::rows ? row * a_stride + p : p * a_stride + row);
        T* const out = c + row * c_stride + column;
        const T* const from = p > 0 ? out : start == nullptr ? nullptr : start + row * start_stride + column;
        const std::int64_t from_stride = p > 0 ? c_stride : start_stride;
        if (columns > lanes<T>) {
          gemm_tile_of<T, layout, 2>(rows, steps, left, a_stride, right, b.row_stride, from, from_stride, out, c_stride,
                                     last);
        } else {
          gemm_tile_of<T, layout, 1>(rows, steps, left, a_stride, right, b.row_stride, from, from_stride, out, c_stride,
                                     last);
        }
      }
    }
  }
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

/// Writes rows [first, first + rows) of a packed [k, n]: element (first + p, j) = from[p · row_stride + j ·
/// column_stride]; columns beyond n become zeros.
template <class T>
void pack(std::int64_t k, std::int64_t n, std::int64_t first, std::int64_t rows, const T* from, std::int64_t row_stride,
          std::int64_t column_stride, T* to) {
  for (std::int64_t column = 0; column < n; column += tile_columns<T>, to += k * tile_columns<T>) {
    for (std::int64_t j = 0; j < tile_columns<T>; ++j) {
      T* const out = to + first * tile_columns<T> + j;
      const T* const in = from + (column + j) * column_stride;
      for (std::int64_t p = 0; p < rows; ++p) out[p * tile_columns<T>] = column + j < n ? in[p * row_stride] : T(0);
    }
  }
}

}  // namespace deft::kernels::DEFT_SIMD
