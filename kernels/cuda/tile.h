// Tiles of matrices in shared memory, and who brings them there.
//
// A tile is [lines, length] with lines `stride` elements apart. Its threads move it in packs of `width` neighbouring
// elements, four elements (a slot) at a time, each thread always in the same columns.
#pragma once

#include <cstdint>

#include "deft/kernels/cuda/copy_async.h"
#include "deft/kernels/cuda/reduce_block.h"
#include "deft/kernels/cuda/vector_access.h"
#include "deft/kernels/runtime/cuda/launch.h"

namespace deft::kernels {

/// Elements of the inner dimension of a product that are in shared memory at a time.
inline constexpr int tile_depth = 16;

/// Distance of the lines of a tile [rows or columns, tile_depth]: eight lines start in eight different groups of banks,
/// for reading packs as for reading the parts of mma_tf32.
template <class T>
inline constexpr int narrow_stride = tile_depth + pack_width<T>;

/// Distance of the lines of a tile [tile_depth, length], likewise.
template <int length>
inline constexpr int wide_stride = length + 8;

/// Which elements of a tile a thread moves.
template <int lines, int length, int threads, int width>
struct TileLanes {
  static constexpr int packs = length / width;                                      ///< in a line
  static constexpr int items = 4 / width;                                           ///< packs of a slot
  static constexpr int slots = (lines * length + 4 * threads - 1) / (4 * threads);  ///< of a thread

  __device__ static int column() { return static_cast<int>(threadIdx.x) % packs * width; }

  /// The line of a slot's item; may lie beyond the last line where the tile has fewer slots than threads.
  __device__ static int line(int slot, int item) {
    const int thread = static_cast<int>(threadIdx.x);
    if constexpr (length > tile_depth) {
      static_assert(threads % packs == 0);
      return thread / packs + (slot * items + item) * (threads / packs);
    } else {
      // A warp moves eight lines per slot. Those written together are four apart, since neighbours share banks.
      constexpr int at_once = warp_threads / packs;
      const int warp = thread / warp_threads, place = thread % warp_threads / packs;
      return (slot * (threads / warp_threads) + warp) * 8 + place % 2 * 4 + item * (at_once / 2) + place / 2;
    }
  }
};

/// Starts to copy the tile [lines, length] at `matrix`, whose rows are `row` elements apart; zeros beyond its `height`
/// rows and `columns` columns, a multiple of `width`. All threads of the block call it, then wait_for_copies().
template <int lines, int length, int stride, int threads, int width, class T>
__device__ void copy_tile(const T* matrix, std::int64_t row, std::int64_t height, int columns, T* tile) {
  using Lanes = TileLanes<lines, length, threads, width>;
  const int column = Lanes::column();
  DEFT_UNROLL
  for (int slot = 0; slot < Lanes::slots; ++slot) {
    DEFT_UNROLL
    for (int item = 0; item < Lanes::items; ++item) {
      const int line = Lanes::line(slot, item);
      if (line >= lines) continue;
      copy_async<width>(tile + line * stride + column, matrix + line * row + column, line < height && column < columns);
    }
  }
}

}  // namespace deft::kernels
