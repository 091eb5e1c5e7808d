// Products of more depth than shared memory holds: while one chunk is multiplied, the next is on its way.
#pragma once

#include <algorithm>
#include <cstdint>

#include "deft/kernels/cuda/tile_product.h"

namespace deft::kernels {

/// Tiles of a product and how many blocks with them a multiprocessor must hold at a time, which bounds their registers.
template <class Product_, int resident_blocks_>
struct Tiling {
  using Product = Product_;
  static constexpr int resident_blocks = resident_blocks_;
};

/// How a chunk is multiplied in parts, with some of the next one's `slots` on their way in registers during each.
template <class Product, int slots>
struct ChunkParts {
  static constexpr int count = std::min(slots, tile_depth / Product::step);
  static constexpr int depth = tile_depth / count, slots_of_each = slots / count;
  static_assert(slots % count == 0 && tile_depth % count == 0);
};

/// Adds the product of `chunks` chunks to `product`; all threads of the block call it, and shared memory is free
/// afterwards. The source brings them into its two buffers: begin(chunk, buffer) starts the copies of one, then for
/// each of its Parts come fetch(part) and, some time later, store(part, buffer); left(buffer) and right(buffer) are the
/// operands.
template <class Product, class Source>
__device__ void add_chunks(Product& product, Source& source, int chunks) {
  using Parts = typename Source::Parts;
  if (chunks == 0) return;
  source.begin(0, 0);
  DEFT_NO_UNROLL
  for (int part = 0; part < Parts::count; ++part) {
    source.fetch(part);
    source.store(part, 0);
  }
  wait_for_copies();
  __syncthreads();
  DEFT_NO_UNROLL
  for (int chunk = 0; chunk < chunks; ++chunk) {
    const int current = chunk % 2, next = 1 - current;
    const bool more = chunk + 1 < chunks;
    if (more) source.begin(chunk + 1, next);
    DEFT_NO_UNROLL
    for (int part = 0; part < Parts::count; ++part) {
      if (more) source.fetch(part);
      product.template add<Parts::depth>(source.left(current), source.right(current), part * Parts::depth);
      if (more) source.store(part, next);
    }
    wait_for_copies();
    __syncthreads();
  }
}

/// Writes a product to `output` [height, length], whose rows are `row` elements apart, with `bias` [length] or null
/// added.
template <class Product, class T>
__device__ void write_product(const Product& product, const T* bias, T* output, std::int64_t row, std::int64_t height,
                              std::int64_t length) {
  constexpr int width = Product::width;
  const bool packs = row % width == 0 && length % width == 0 && is_aligned<width>(output);
  product.for_each([&](int line, int column, Pack<T, width> sums) {
    if (line >= height) return;
    DEFT_UNROLL
    for (int i = 0; i < width; ++i) {
      if (bias != nullptr && column + i < length) sums[i] += bias[column + i];
    }
    const std::int64_t at = line * row + column;
    if (packs && column < length) {
      store_pack_at(output, at, sums);
      return;
    }
    DEFT_UNROLL
    for (int i = 0; i < width; ++i) {
      if (column + i < length) output[at + i] = sums[i];
    }
  });
}

}  // namespace deft::kernels
