// A tile of c stays in registers while elements of `a` are broadcast against vectors of `b`'s rows.
#include "deft/kernels/cpu/gemm_micro.h"

#include "deft/kernels/cpu/simd.h"

namespace deft::kernels::DEFT_SIMD {
namespace {

/// Steps of the inner product taken at once, so that a column block of `b` stays in the L1 cache.
constexpr std::int64_t gemm_depth = 320;

/// One tile. `start` (rows of start_stride; null means zeros) is readable to whole vectors; of the last vector of c,
/// `last` elements are written.
// Without the undefined-behaviour sanitizer: its tests of the unrolled indices take minutes to compile.
template <class T, Layout layout, int rows, int vectors>
__attribute__((no_sanitize("undefined"))) void gemm_tile(std::int64_t k, const T* a, std::int64_t a_stride, const T* b,
                                                         std::int64_t b_stride, const T* start,
                                                         std::int64_t start_stride, T* c, std::int64_t c_stride,
                                                         std::int64_t last) {
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

}  // namespace

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

#define DEFT_INSTANTIATE(T, layout)                                                               \
  template void gemm<T, layout>(std::int64_t, std::int64_t, std::int64_t, const T*, std::int64_t, \
                                const RightMatrix<T>&, const T*, std::int64_t, T*, std::int64_t);
DEFT_INSTANTIATE(float, Layout::rows)
DEFT_INSTANTIATE(float, Layout::transposed)
DEFT_INSTANTIATE(double, Layout::rows)
DEFT_INSTANTIATE(double, Layout::transposed)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels::DEFT_SIMD
