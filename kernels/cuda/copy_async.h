// Copies from device to shared memory that pass no registers and run beside the arithmetic.
#pragma once

#include "deft/kernels/cuda/vector_access.h"
#include "deft/kernels/runtime/cuda/launch.h"

namespace deft::kernels {

/// Starts to copy a pack of 4, 8 or 16 bytes, at its alignment, from device memory at `from` to shared memory at `to`;
/// where it does not exist, `to` gets zeros and `from` is not read.
template <int width, class T>
__device__ void copy_async(T* to, const T* from, bool exists) {
#if defined(DEFT_CUDA_EMULATED) || (defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800)
  store_pack(to, exists ? load_pack<width>(from) : Pack<T, width>{});
#else
  constexpr int bytes = width * sizeof(T);
  asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;"
               :
               : "r"(static_cast<unsigned>(__cvta_generic_to_shared(to))), "l"(from), "n"(bytes),
                 "r"(exists ? bytes : 0)
               : "memory");
#endif
}

/// Waits for the copies that this thread has started; a barrier then shows them to the block.
__device__ inline void wait_for_copies() {
#if !defined(DEFT_CUDA_EMULATED) && (!defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800)
  asm volatile("cp.async.wait_all;" : : : "memory");
#endif
}

}  // namespace deft::kernels
