#include "deft/kernels/cpu/gemm_micro.h"

#include <utility>

#include "deft/kernels/runtime/cpu/simd.h"

// Sums live in registers, so what holds them must be inlined. Without the undefined-behaviour sanitizer, whose tests of
// the unrolled indices take minutes to compile.
#define DEFT_IN_REGISTERS __attribute__((always_inline, no_sanitize("undefined"))) inline

namespace deft::kernels::DEFT_SIMD {
namespace {

/// Where a tile of c starts and goes, and how much of it: the last of its vectors has `last` elements.
template <class T>
struct ResultPlace {
  const T* start;
  std::int64_t start_stride;
  T* c;
  std::int64_t c_stride, last;

  void advance(std::int64_t rows) {
    c += rows * c_stride;
    if (start != nullptr) start += rows * start_stride;
  }
};

template <class T, int rows, int vectors>
using Sums = Vector<T>[rows][vectors];

template <class T, int rows, int vectors>
DEFT_IN_REGISTERS void begin_sums(const ResultPlace<T>& place, Sums<T, rows, vectors>& sum) {
  const T* const start = place.start;
  if (start == nullptr) return;
  const std::int64_t stride = place.start_stride;
  if (place.last == lanes<T>) {
    DEFT_UNROLL
    for (int i = 0; i < rows; ++i) {
      DEFT_UNROLL
      for (int j = 0; j < vectors; ++j) sum[i][j] = load(start + i * stride + j * lanes<T>);
    }
  } else {
    DEFT_UNROLL
    for (int i = 0; i < rows; ++i) {
      DEFT_UNROLL
      for (int j = 0; j < vectors - 1; ++j) sum[i][j] = load(start + i * stride + j * lanes<T>);
      sum[i][vectors - 1] = load_first(start + i * stride + (vectors - 1) * lanes<T>, place.last);
    }
  }
}

template <class T, int rows, int vectors>
DEFT_IN_REGISTERS void store_tile(const ResultPlace<T>& place, const Sums<T, rows, vectors>& sum) {
  T* const c = place.c;
  const std::int64_t stride = place.c_stride;
  DEFT_UNROLL
  for (int i = 0; i < rows; ++i) {
    DEFT_UNROLL
    for (int j = 0; j < vectors - 1; ++j) store(c + i * stride + j * lanes<T>, sum[i][j]);
  }
  T* const end = c + (vectors - 1) * lanes<T>;
  if (place.last == lanes<T>) {
    DEFT_UNROLL
    for (int i = 0; i < rows; ++i) store(end + i * stride, sum[i][vectors - 1]);
  } else {
    DEFT_UNROLL
    for (int i = 0; i < rows; ++i) store_first(end + i * stride, sum[i][vectors - 1], place.last);
  }
}

/// One step of the inner product: element (i) of a column of `a`, left(i), against a row of `b`.
template <class T, int rows, int vectors, class Left>
DEFT_IN_REGISTERS void add_step(Left left, const T* b, Sums<T, rows, vectors>& sum) {
  Vector<T> right[vectors];
  DEFT_UNROLL
  for (int j = 0; j < vectors; ++j) right[j] = load(b + j * lanes<T>);
  DEFT_UNROLL
  for (int i = 0; i < rows; ++i) {
    const Vector<T> factor = broadcast(left(i));
    DEFT_UNROLL
    for (int j = 0; j < vectors; ++j) sum[i][j] += factor * right[j];
  }
  asm volatile("" ::: "memory");  // GCC would load ahead for later steps, and run out of registers
}

/// Gathered rows against a column block of a packed matrix.
template <class T>
struct RowsTile {
  using Element = T;
  ResultPlace<T> place;
  const T* a;
  const std::int64_t* origins;
  const Run *runs, *runs_end;
  const T* b;

  template <int rows, int vectors>
  static __attribute__((no_sanitize("undefined"))) void compute(const RowsTile& tile) {
    Sums<T, rows, vectors> sum = {};
    begin_sums<T, rows, vectors>(tile.place, sum);
    const T* a[rows];
    DEFT_UNROLL
    for (int i = 0; i < rows; ++i) a[i] = tile.a + tile.origins[i];
    const T* b = tile.b;
    for (const Run* run = tile.runs; run != tile.runs_end; ++run) {
      std::int64_t at = run->displacement;
      const auto step = [&](int ahead) __attribute__((always_inline)) {
        add_step<T, rows, vectors>([&](int i) { return a[i][at + ahead]; }, b + ahead * tile_columns<T>, sum);
      };
      const auto advance = [&](int steps) __attribute__((always_inline)) {
        at += steps;
        b += steps * tile_columns<T>;
        asm("" : "+r"(at));  // keeps one index for all rows in place of a pointer for each
      };
      std::int64_t left = run->count;
      for (; left >= 4; left -= 4) {
        step(0);
        step(1);
        step(2);
        step(3);
        advance(4);
      }
      for (; left > 0; --left) {
        step(0);
        advance(1);
      }
    }
    store_tile<T, rows, vectors>(tile.place, sum);
  }

  void advance(std::int64_t rows) {
    place.advance(rows);
    origins += rows;
  }
};

/// Rows at even distances against a column block: less to prepare than for gathered ones, which short products feel.
template <class T>
struct EvenRowsTile {
  using Element = T;
  ResultPlace<T> place;
  std::int64_t k;
  const T* a;
  std::int64_t a_stride;
  const T* b;

  template <int rows, int vectors>
  static __attribute__((no_sanitize("undefined"))) void compute(const EvenRowsTile& tile) {
    Sums<T, rows, vectors> sum = {};
    begin_sums<T, rows, vectors>(tile.place, sum);
    const T* b = tile.b;
    const std::int64_t a_stride = tile.a_stride;
    const T* a[(rows + 2) / 3];  // every third row: two multiples of the stride reach the others
    DEFT_UNROLL
    for (int i = 0; i < rows; i += 3) a[i / 3] = tile.a + i * a_stride;
    for (std::int64_t p = tile.k; p > 0; --p) {
      add_step<T, rows, vectors>([&](int i) { return a[i / 3][i % 3 * a_stride]; }, b, sum);
      DEFT_UNROLL
      for (int i = 0; i < rows; i += 3) ++a[i / 3];
      b += tile_columns<T>;
    }
    store_tile<T, rows, vectors>(tile.place, sum);
  }

  void advance(std::int64_t rows) {
    place.advance(rows);
    a += rows * a_stride;
  }
};

/// A transposed left matrix against a column block, over the rows of strips.
template <class T>
struct TransposedTile {
  using Element = T;
  ResultPlace<T> place;
  const T* a;
  std::int64_t a_stride;
  const T* b;
  std::int64_t b_stride;
  const Strip *strips, *strips_end;

  template <int rows, int vectors>
  static __attribute__((no_sanitize("undefined"))) void compute(const TransposedTile& tile) {
    Sums<T, rows, vectors> sum = {};
    begin_sums<T, rows, vectors>(tile.place, sum);
    const std::int64_t a_stride = tile.a_stride, b_stride = tile.b_stride;
    for (const Strip* strip = tile.strips; strip != tile.strips_end; ++strip) {
      const T *a = tile.a + strip->a, *b = tile.b + strip->b;
      for (std::int64_t p = strip->count; p > 0; --p) {
        add_step<T, rows, vectors>([&](int i) { return a[i]; }, b, sum);
        a += a_stride;
        b += b_stride;
      }
    }
    store_tile<T, rows, vectors>(tile.place, sum);
  }

  void advance(std::int64_t rows) {
    place.advance(rows);
    a += rows;
  }
};

/// compute() for 1, 2, … tile_rows rows.
template <class Tile>
struct TileFunctions {
  void (*of_rows[tile_rows])(const Tile&);
};

template <class Tile, int vectors, int... i>
constexpr TileFunctions<Tile> tile_functions(std::integer_sequence<int, i...>) {
  return {{Tile::template compute<i + 1, vectors>...}};
}

/// Computes the m rows that begin with `tile`, which has `columns` columns.
template <class Tile>
void compute_rows(Tile tile, std::int64_t m, std::int64_t columns) {
  static_assert(tile_vectors == 2);
  constexpr auto all_rows = std::make_integer_sequence<int, tile_rows>();
  static constexpr TileFunctions<Tile> narrow = tile_functions<Tile, 1>(all_rows);
  static constexpr TileFunctions<Tile> wide = tile_functions<Tile, 2>(all_rows);
  constexpr std::int64_t n = lanes<typename Tile::Element>;
  if (m == 0) return;
  const TileFunctions<Tile>& functions = columns > n ? wide : narrow;
  tile.place.last = (columns - 1) % n + 1;
  // Rows are dealt evenly: a short last tile would wait for the latency of its few sums.
  const std::int64_t row_tiles = (m + tile_rows - 1) / tile_rows, rows = m / row_tiles, longer = m % row_tiles;
  for (std::int64_t i = 0; i < row_tiles; ++i) {
    const std::int64_t count = i < longer ? rows + 1 : rows;
    functions.of_rows[count - 1](tile);
    tile.advance(count);
  }
}

/// Calls body(column, columns, block) for the column blocks of [0, n).
template <class T, class Body>
void for_column_blocks(std::int64_t n, Body&& body) {
  for (std::int64_t column = 0, block = 0; column < n; column += tile_columns<T>, ++block) {
    body(column, n - column < tile_columns<T> ? n - column : tile_columns<T>, block);
  }
}

/// Of a part of the inner product: the first part starts as asked, later ones go on from what it left.
template <class T>
ResultPlace<T> place_at(std::int64_t column, bool resumed, const T* start, std::int64_t start_stride, T* c,
                        std::int64_t c_stride) {
  if (resumed) return {c + column, c_stride, c + column, c_stride, 0};
  return {start == nullptr ? nullptr : start + column, start_stride, c + column, c_stride, 0};
}

}  // namespace

template <class T>
void gemm_gathered(std::int64_t m, std::int64_t n, const GatheredRows<T>& a, const RightMatrix<T>& b, const T* start,
                   std::int64_t start_stride, T* c, std::int64_t c_stride) {
  const Run* const end = a.runs + a.run_count;
  for_column_blocks<T>(n, [&](std::int64_t column, std::int64_t columns, std::int64_t block) {
    const T* right = b.data + block * b.block_stride;
    const Run* run = a.runs;
    do {
      const Run* const first = run;
      std::int64_t depth = 0;
      for (; run != end && depth + run->count <= gemm_depth; ++run) depth += run->count;
      const ResultPlace<T> place = place_at(column, first != a.runs, start, start_stride, c, c_stride);
      compute_rows(RowsTile<T>{place, a.data, a.origins, first, run, right}, m, columns);
      right += depth * tile_columns<T>;
    } while (run != end);
  });
}

template <class T>
void gemm_transposed_strips(std::int64_t m, std::int64_t n, const T* a, std::int64_t a_stride, const T* b,
                            std::int64_t b_stride, const Strip* strips, std::int64_t strip_count, T* c,
                            std::int64_t c_stride) {
  for_column_blocks<T>(n, [&](std::int64_t column, std::int64_t columns, std::int64_t) {
    const ResultPlace<T> place = place_at<T>(column, true, nullptr, 0, c, c_stride);
    compute_rows(TransposedTile<T>{place, a, a_stride, b + column, b_stride, strips, strips + strip_count}, m, columns);
  });
}

namespace {

template <class T>
void gemm_rows(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t a_stride,
               const RightMatrix<T>& b, const T* start, std::int64_t start_stride, T* c, std::int64_t c_stride) {
  for_column_blocks<T>(n, [&](std::int64_t column, std::int64_t columns, std::int64_t block) {
    const T* const right = b.data + block * b.block_stride;
    std::int64_t p = 0;
    do {
      const std::int64_t depth = k - p < gemm_depth ? k - p : gemm_depth;
      const ResultPlace<T> place = place_at(column, p > 0, start, start_stride, c, c_stride);
      compute_rows(EvenRowsTile<T>{place, depth, a + p, a_stride, right + p * b.row_stride}, m, columns);
      p += depth;
    } while (p < k);
  });
}

template <class T>
void gemm_transposed(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t a_stride,
                     const RightMatrix<T>& b, const T* start, std::int64_t start_stride, T* c, std::int64_t c_stride) {
  const Strip all{0, 0, k};
  for_column_blocks<T>(n, [&](std::int64_t column, std::int64_t columns, std::int64_t block) {
    const ResultPlace<T> place = place_at(column, false, start, start_stride, c, c_stride);
    const T* const right = b.data + block * b.block_stride;
    compute_rows(TransposedTile<T>{place, a, a_stride, right, b.row_stride, &all, &all + 1}, m, columns);
  });
}

}  // namespace

template <class T, Layout layout>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t a_stride, const RightMatrix<T>& b,
          const T* start, std::int64_t start_stride, T* c, std::int64_t c_stride) {
  if constexpr (layout == Layout::rows) {
    gemm_rows(m, n, k, a, a_stride, b, start, start_stride, c, c_stride);
  } else {
    gemm_transposed(m, n, k, a, a_stride, b, start, start_stride, c, c_stride);
  }
}

namespace {

/// Rows `from[0 … rows)`, `stride` elements apart and each readable for `columns` elements, as columns of `to`.
template <class T>
void pack_transposed(std::int64_t rows, std::int64_t columns, const T* from, std::int64_t stride, T* to) {
  for (std::int64_t p = 0; p < columns; p += lanes<T>) {
    const std::int64_t count = columns - p < lanes<T> ? columns - p : lanes<T>;
    Vector<T> block[lanes<T>];
    for (std::int64_t i = 0; i < lanes<T>; ++i) {
      block[i] = i >= rows ? Vector<T>{} : load_first(from + i * stride + p, count);
    }
    transpose<T>(block);
    for (std::int64_t i = 0; i < count; ++i) store(to + (p + i) * tile_columns<T>, block[i]);
  }
}

}  // namespace

template <class T>
void pack(std::int64_t k, std::int64_t n, std::int64_t first, std::int64_t rows, const T* from, std::int64_t row_stride,
          std::int64_t column_stride, T* to) {
  for (std::int64_t column = 0; column < n; column += lanes<T>) {
    T* const block = to + column / tile_columns<T> * k * tile_columns<T> + column % tile_columns<T>;
    T* const out = block + first * tile_columns<T>;
    const std::int64_t columns = n - column < lanes<T> ? n - column : lanes<T>;
    if (column_stride == 1) {
      for (std::int64_t p = 0; p < rows; ++p) {
        store(out + p * tile_columns<T>, load_first(from + p * row_stride + column, columns));
      }
    } else {
      pack_transposed(columns, rows, from + column * column_stride, column_stride, out);
    }
  }
}

#define DEFT_INSTANTIATE(T)                                                                                           \
  template void gemm<T, Layout::rows>(std::int64_t, std::int64_t, std::int64_t, const T*, std::int64_t,               \
                                      const RightMatrix<T>&, const T*, std::int64_t, T*, std::int64_t);               \
  template void gemm<T, Layout::transposed>(std::int64_t, std::int64_t, std::int64_t, const T*, std::int64_t,         \
                                            const RightMatrix<T>&, const T*, std::int64_t, T*, std::int64_t);         \
  template void gemm_gathered<T>(std::int64_t, std::int64_t, const GatheredRows<T>&, const RightMatrix<T>&, const T*, \
                                 std::int64_t, T*, std::int64_t);                                                     \
  template void gemm_transposed_strips<T>(std::int64_t, std::int64_t, const T*, std::int64_t, const T*, std::int64_t, \
                                          const Strip*, std::int64_t, T*, std::int64_t);                              \
  template void pack<T>(std::int64_t, std::int64_t, std::int64_t, std::int64_t, const T*, std::int64_t, std::int64_t, \
                        T*);
DEFT_INSTANTIATE(float)
DEFT_INSTANTIATE(double)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels::DEFT_SIMD
