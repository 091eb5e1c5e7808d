#include "deft/kernels/matmul.h"

#include <algorithm>

#include "deft/kernels/cpu/eigen.h"
#include "deft/kernels/cpu/strided_loop.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cpu/kernel.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

/// Rows and columns of the output that one task computes.
struct Tile {
  std::int64_t row, rows, column, columns;
};

template <class T>
void multiply_tile(const MatmulShape& shape, const Tile& tile, const T* a, const T* b, const T* bias, T* output) {
  using Input = Eigen::Map<const Matrix<T>>;
  const Input left(a, shape.transpose_a ? shape.k : shape.m, shape.transpose_a ? shape.m : shape.k);
  const Input right(b, shape.transpose_b ? shape.n : shape.k, shape.transpose_b ? shape.k : shape.n);
  Eigen::Map<Matrix<T>> whole(output, shape.m, shape.n);
  auto out = whole.block(tile.row, tile.column, tile.rows, tile.columns);
  const auto left_rows = left.middleRows(shape.transpose_a ? 0 : tile.row, shape.transpose_a ? shape.k : tile.rows);
  const auto left_columns = left.middleCols(shape.transpose_a ? tile.row : 0, shape.transpose_a ? tile.rows : shape.k);
  const auto right_rows =
      right.middleRows(shape.transpose_b ? tile.column : 0, shape.transpose_b ? tile.columns : shape.k);
  const auto right_columns =
      right.middleCols(shape.transpose_b ? 0 : tile.column, shape.transpose_b ? shape.k : tile.columns);
  if (shape.transpose_a && shape.transpose_b) {
    out.noalias() = left_columns.transpose() * right_rows.transpose();
  } else if (shape.transpose_a) {
    out.noalias() = left_columns.transpose() * right_columns;
  } else if (shape.transpose_b) {
    out.noalias() = left_rows * right_rows.transpose();
  } else {
    out.noalias() = left_rows * right_columns;
  }
  if (bias != nullptr) out.rowwise() += Eigen::Map<const RowVector<T>>(bias + tile.column, tile.columns);
}

}  // namespace
}  // namespace DEFT_SIMD

using namespace DEFT_SIMD;

template <class T>
void matmul(Set, const MatmulShape& shape, const T* a, const T* b, const T* bias, T* output) {
  // A task is a tile of a large matrix or a group of small matrices.
  constexpr std::int64_t tile_rows = 64, tile_columns = 256, task_products = 1 << 18;
  const std::int64_t row_tiles = (shape.m + tile_rows - 1) / tile_rows;
  const std::int64_t column_tiles = (shape.n + tile_columns - 1) / tile_columns;
  const std::int64_t tiles = row_tiles * column_tiles;
  const Strided<1> batch_a = operand_layout(shape.batch, 0), batch_b = operand_layout(shape.batch, 1);
  const std::int64_t tile_products =
      std::min(shape.m, tile_rows) * std::min(shape.n, tile_columns) * std::max<std::int64_t>(shape.k, 1);
  const std::int64_t group = std::max<std::int64_t>(1, task_products / std::max<std::int64_t>(1, tile_products));
  parallel_blocks(shape.batch.numel() * tiles, group, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t matrix = task / tiles;
      const std::int64_t row = task % tiles / column_tiles * tile_rows, column = task % column_tiles * tile_columns;
      const Tile tile{row, std::min(tile_rows, shape.m - row), column, std::min(tile_columns, shape.n - column)};
      multiply_tile(shape, tile, a + StridedCursor(batch_a, matrix).next(1).offset * shape.m * shape.k,
                    b + StridedCursor(batch_b, matrix).next(1).offset * shape.k * shape.n, bias,
                    output + matrix * shape.m * shape.n);
    }
  });
}

#define DEFT_FLOATING(T) template void matmul(Set, const MatmulShape&, const T*, const T*, const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
