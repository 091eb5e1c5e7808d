// Atomic additions of several neighbouring elements.
#pragma once

#include "deft/kernels/cuda/vector_access.h"

namespace deft::kernels {

/// Adds a pack to the elements at `to`, each atomically, in any order among the threads.
template <int width, class T>
__device__ void atomic_add_pack(T* to, const Pack<T, width>& pack) {
  for (int i = 0; i < width; ++i) atomicAdd(to + i, pack[i]);
}

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
/// `to` is aligned to the pack.
__device__ inline void atomic_add_pack(float* to, const Pack<float, 4>& pack) {
  atomicAdd(reinterpret_cast<float4*>(to), make_float4(pack[0], pack[1], pack[2], pack[3]));
}
#endif

}  // namespace deft::kernels
