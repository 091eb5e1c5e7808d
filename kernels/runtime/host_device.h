// Marks of inline functions that several worlds share.
#pragma once

/// Of functions in headers that CPU kernels share with other code: the linker keeps one copy of a function that is not
/// inlined, and it must not be the one compiled for AVX-512 (kernels/runtime/cpu/kernel.h).
#define DEFT_ALWAYS_INLINE __attribute__((always_inline))

/// Of functions that run on the CPU and in CUDA kernels alike.

#ifdef __CUDACC__
#define DEFT_HOST_DEVICE __host__ __device__
#else
#define DEFT_HOST_DEVICE DEFT_ALWAYS_INLINE
#endif
