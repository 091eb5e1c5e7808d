// Matrix products of the tensor cores, each made by a warp together.
#pragma once

#include "deft/kernels/runtime/cuda/context.h"
#include "deft/kernels/runtime/cuda/launch.h"

namespace deft::kernels {

#ifdef DEFT_CUDA_EMULATED

struct MmaLane {
  float* d;
  const float *a, *b;
};

/// A factor as the tensor cores read it: the bits that TF32 does not have are not looked at.
inline float as_tf32(float value) { return __uint_as_float(__float_as_uint(value) & ~0x1fffu); }

/// What mma_tf32 leaves in the lanes of a warp.
inline void combine_mma(MmaLane* const* lanes, unsigned) {
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
      for (int k = 0; k < 8; ++k) {
        lanes[lane]->d[i] +=
            as_tf32(lanes[row % 8 * 4 + k % 4]->a[row / 8 + k / 4 * 2]) * as_tf32(lanes[column * 4 + k % 4]->b[k / 4]);
      }
    }
  }
}

#endif

/// Whether the GPU multiplies TF32 numbers (compute capability 8.0 and later).
inline bool has_tf32(const Context& context) { return context.compute_capability >= 80; }

/// The nearest TF32 number (10 bits of mantissa; ties away from zero), as a float. NaN stays one.
__device__ inline float round_to_tf32(float value) {
#if defined(DEFT_CUDA_EMULATED)
  return isnan(value) ? value : __uint_as_float((__float_as_uint(value) + 0x1000u) & ~0x1fffu);
#elif __CUDA_ARCH__ >= 800
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
  return __uint_as_float(bits);
#else
  __trap();
  return value;
#endif
}

/// d += a · b for d [16, 8], a [16, 8], b [8, 8] of TF32 numbers that the lanes of a warp hold in parts: with r = lane
/// / 4, q = lane % 4, `a` is rows (r, r + 8) at column q, then both at q + 4; `b` is rows (q, q + 4) at column r; `d`
/// is row r at columns (2q, 2q + 1), then row r + 8.
__device__ inline void mma_tf32(float (&d)[4], const float (&a)[4], const float (&b)[2]) {
#if defined(DEFT_CUDA_EMULATED)
  MmaLane lane{d, a, b};
  cuda_emulator::warp_collective(0xffffffffu, lane, combine_mma);
#elif __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, "
      "%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])), "r"(__float_as_uint(a[3])),
        "r"(__float_as_uint(b[0])), "r"(__float_as_uint(b[1])));
#else
  __trap();
#endif
}

}  // namespace deft::kernels
