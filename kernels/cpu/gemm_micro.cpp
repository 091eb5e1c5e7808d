#include "deft/kernels/cpu/gemm_micro.h"

#include <utility>

#include "deft/kernels/cpu/simd.h"

namespace deft::kernels::DEFT_SIMD {
namespace {

/// Steps of the inner product taken at once, so that a column block of `b` stays in the L1 cache.
constexpr std::int64_t gemm_depth = 320;

/// A tile of c, of as many rows and vectors as its function is for, and its factors. `start` (null means zeros) is
/// readable to whole vectors; of the last vector of c, `last` elements are written.
template <class T>
struct Tile {
  std::int64_t k;
  const T* a;
  std::int64_t a_stride;
  const T* b;
  std::int64_t b_stride;
  const T* start;
  std::int64_t start_stride;
  T* c;
  std::int64_t c_stride, last;
};

/// Copies less than a vector of elements, without the call of memcpy that GCC would make of a plain loop.
template <class T>
inline void copy_few(T* to, const T* from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = from[i];
    asm volatile("");
  }
}

/// Keeps the tile in registers while elements of `a` are broadcast against vectors of `b`'s rows. Without the
/// undefined-behaviour sanitizer, whose tests of the unrolled indices take minutes to compile.
template <class T, Layout layout, int rows, int vectors>
__attribute__((no_sanitize("undefined"))) void compute(const Tile<T>& tile) {
  Vector<T> sum[rows][vectors] = {};
  if (tile.start != nullptr) {
    DEFT_UNROLL
    for (int i = 0; i < rows; ++i) {
      DEFT_UNROLL
      for (int j = 0; j < vectors; ++j) sum[i][j] = load(tile.start + i * tile.start_stride + j * lanes<T>);
    }
  }
  const T* b = tile.b;
  const std::int64_t a_stride = tile.a_stride, b_stride = tile.b_stride;
  const T* a[(rows + 2) / 3];  // every third row: two multiples of the stride reach the others
  DEFT_UNROLL
  for (int i = 0; i < rows; i += 3) a[i / 3] = tile.a + (layout == Layout::rows ? i * a_stride : i);
  for (std::int64_t p = tile.k; p > 0; --p) {
    Vector<T> right[vectors];
    DEFT_UNROLL
    for (int j = 0; j < vectors; ++j) right[j] = load(b + j * lanes<T>);
    DEFT_UNROLL
    for (int i = 0; i < rows; ++i) {
      const Vector<T> left = broadcast(a[i / 3][layout == Layout::rows ? i % 3 * a_stride : i % 3]);
      DEFT_UNROLL
      for (int j = 0; j < vectors; ++j) sum[i][j] += left * right[j];
    }
    DEFT_UNROLL
    for (int i = 0; i < rows; i += 3) a[i / 3] += layout == Layout::rows ? 1 : a_stride;
    b += b_stride;
  }
  T* const c = tile.c;
  const std::int64_t c_stride = tile.c_stride;
  DEFT_UNROLL
  for (int i = 0; i < rows; ++i) {
    DEFT_UNROLL
    for (int j = 0; j < vectors - 1; ++j) store(c + i * c_stride + j * lanes<T>, sum[i][j]);
  }
  T* const end = c + (vectors - 1) * lanes<T>;
  if (tile.last == lanes<T>) {
    DEFT_UNROLL
    for (int i = 0; i < rows; ++i) store(end + i * c_stride, sum[i][vectors - 1]);
  } else {
    T whole[rows][lanes<T>];
    DEFT_UNROLL
    for (int i = 0; i < rows; ++i) store(whole[i], sum[i][vectors - 1]);
    for (int i = 0; i < rows; ++i) copy_few(end + i * c_stride, whole[i], tile.last);
  }
}

/// compute() for 1, 2, … tile_rows rows.
template <class T>
struct TileFunctions {
  void (*of_rows[tile_rows])(const Tile<T>&);
};

template <class T, Layout layout, int vectors, int... i>
constexpr TileFunctions<T> tile_functions(std::integer_sequence<int, i...>) {
  return {{compute<T, layout, i + 1, vectors>...}};
}

}  // namespace

template <class T, Layout layout>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t a_stride, const RightMatrix<T>& b,
          const T* start, std::int64_t start_stride, T* c, std::int64_t c_stride) {
  static_assert(tile_vectors == 2);
  constexpr auto all_rows = std::make_integer_sequence<int, tile_rows>();
  static constexpr TileFunctions<T> narrow = tile_functions<T, layout, 1>(all_rows);
  static constexpr TileFunctions<T> wide = tile_functions<T, layout, 2>(all_rows);
  if (m == 0) return;
  // Rows are dealt evenly: a short last tile would wait for the latency of its few sums.
  const std::int64_t row_tiles = (m + tile_rows - 1) / tile_rows, rows = m / row_tiles, longer = m % row_tiles;
  for (std::int64_t column = 0, block = 0; column < n; column += tile_columns<T>, ++block) {
    const std::int64_t columns = n - column < tile_columns<T> ? n - column : tile_columns<T>;
    const TileFunctions<T>& functions = columns > lanes<T> ? wide : narrow;
    const std::int64_t last = (columns - 1) % lanes<T> + 1;
    // Resuming reads whole vectors of c, so where n ends amid one the product is taken in one go.
    const std::int64_t depth = last == lanes<T> || k == 0 ? gemm_depth : k;
    for (std::int64_t p = 0; p == 0 || p < k; p += depth) {
      Tile<T> tile{k - p < depth ? k - p : depth,
                   a + (layout == Layout::rows ? p : p * a_stride),
                   a_stride,
                   b.data + block * b.block_stride + p * b.row_stride,
                   b.row_stride,
                   p > 0              ? c + column
                   : start == nullptr ? nullptr
                                      : start + column,
                   p > 0 ? c_stride : start_stride,
                   c + column,
                   c_stride,
                   last};
      for (std::int64_t i = 0; i < row_tiles; ++i) {
        const std::int64_t count = i < longer ? rows + 1 : rows;
        functions.of_rows[count - 1](tile);
        tile.a += layout == Layout::rows ? count * a_stride : count;
        tile.c += count * c_stride;
        if (tile.start != nullptr) tile.start += count * tile.start_stride;
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
