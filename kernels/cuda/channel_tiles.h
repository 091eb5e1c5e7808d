// How blocks share a channels-last array [rows, channels] out among their threads, for sums over the rows.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/cuda/launch.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels {

/// A tile is `lanes` neighbouring vectors of channels; a block handles one tile of many rows. Threads with neighbouring
/// threadIdx.x take neighbouring vectors, so that accesses are coalesced; threadIdx.y counts rows.
struct ChannelTiles {
  ChannelTiles(std::int64_t channels, int width, int most_lanes = 32) : vectors(channels / width) {
    while (lanes < most_lanes && lanes < vectors) lanes *= 2;
  }

  dim3 threads() const { return dim3(static_cast<unsigned>(lanes), static_cast<unsigned>(block_threads / lanes)); }
  std::int64_t rows_at_once() const { return block_threads / lanes; }
  /// Tiles that cover all channels.
  DEFT_HOST_DEVICE std::int64_t count() const { return (vectors + lanes - 1) / lanes; }

  std::int64_t vectors;  ///< in a row; the last tile may have fewer than lanes
  int lanes = 1;         ///< a power of two
};

/// Adds `values` over the threads with the same threadIdx.x, always in the same order; the sums come to those with
/// threadIdx.y 0. All threads of a block of block_threads must call it.
template <class T, int n>
__device__ void sum_over_rows(T (&values)[n]) {
  DEFT_SHARED(T, shared, n * block_threads);
  const unsigned self = threadIdx.y * blockDim.x + threadIdx.x;
  for (int k = 0; k < n; ++k) shared[k * block_threads + self] = values[k];
  for (unsigned rows = blockDim.y / 2; rows > 0; rows /= 2) {
    __syncthreads();
    if (threadIdx.y < rows) {
      for (int k = 0; k < n; ++k) {
        shared[k * block_threads + self] += shared[k * block_threads + self + rows * blockDim.x];
      }
    }
  }
  if (threadIdx.y == 0) {
    for (int k = 0; k < n; ++k) values[k] = shared[k * block_threads + self];
  }
  __syncthreads();  // the next call may write
}

}  // namespace deft::kernels
