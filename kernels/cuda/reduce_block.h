// Reductions over the threads of a warp or block.
//
// `combine` is associative and commutative up to rounding. The order is fixed, and every thread gets the result.
#pragma once

#include "deft/kernels/runtime/cuda/launch.h"

namespace deft::kernels {

inline constexpr int warp_threads = 32;
inline constexpr unsigned whole_warp = 0xffffffffu;

/// The value of the lane whose number differs in the bits of `mask`. Types that are no numbers overload this function.
template <class T>
__device__ T exchange(T value, int mask) {
  return __shfl_xor_sync(whole_warp, value, mask);
}

/// Over the 32 lanes of a warp, all of which must call it.
template <class T, class Combine>
__device__ T reduce_warp(T value, Combine combine) {
  for (int mask = warp_threads / 2; mask > 0; mask /= 2) value = combine(value, exchange(value, mask));
  return value;
}

/// Over the threads of a block of one dimension and whole warps, all of which must call it. `start` is the neutral
/// element.
template <class T, class Combine>
__device__ T reduce_block(T value, T start, Combine combine) {
  DEFT_SHARED(T, partial, warp_threads);
  const int lane = static_cast<int>(threadIdx.x) % warp_threads, warp = static_cast<int>(threadIdx.x) / warp_threads;
  const int warps = static_cast<int>(blockDim.x) / warp_threads;
  value = reduce_warp(value, combine);
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  value = reduce_warp(lane < warps ? partial[lane] : start, combine);
  __syncthreads();  // the next reduction writes to `partial`
  return value;
}

struct Plus {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

/// The larger of two numbers; which of them where one is NaN is left open.
struct Larger {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};

/// The sum over `lanes` neighbouring threads, a power of two, which all get it. All threads of the warp call it.
template <class T>
__device__ T sum_lanes(T value, int lanes) {
  for (int mask = lanes / 2; mask > 0; mask /= 2) value += exchange(value, mask);
  return value;
}

template <class T>
__device__ T sum_block(T value) {
  return reduce_block(value, T(0), Plus());
}

}  // namespace deft::kernels
