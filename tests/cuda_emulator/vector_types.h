// CUDA's vector types with CUDA's sizes and alignments, and their makers.
#pragma once

// Kernels read arrays of scalars through these types.
#define DEFT_EMULATED_VECTOR(alignment) __attribute__((aligned(alignment), may_alias))

#define DEFT_EMULATED_VECTORS(scalar, prefix, align1, align2, align4)                   \
  struct DEFT_EMULATED_VECTOR(align1) prefix##1 {                                       \
    scalar x;                                                                           \
  };                                                                                    \
  struct DEFT_EMULATED_VECTOR(align2) prefix##2 {                                       \
    scalar x, y;                                                                        \
  };                                                                                    \
  struct DEFT_EMULATED_VECTOR(align1) prefix##3 {                                       \
    scalar x, y, z;                                                                     \
  };                                                                                    \
  struct DEFT_EMULATED_VECTOR(align4) prefix##4 {                                       \
    scalar x, y, z, w;                                                                  \
  };                                                                                    \
  inline prefix##1 make_##prefix##1(scalar x) { return {x}; }                           \
  inline prefix##2 make_##prefix##2(scalar x, scalar y) { return {x, y}; }              \
  inline prefix##3 make_##prefix##3(scalar x, scalar y, scalar z) { return {x, y, z}; } \
  inline prefix##4 make_##prefix##4(scalar x, scalar y, scalar z, scalar w) { return {x, y, z, w}; }

DEFT_EMULATED_VECTORS(signed char, char, 1, 2, 4)
DEFT_EMULATED_VECTORS(unsigned char, uchar, 1, 2, 4)
DEFT_EMULATED_VECTORS(short, short, 2, 4, 8)
DEFT_EMULATED_VECTORS(unsigned short, ushort, 2, 4, 8)
DEFT_EMULATED_VECTORS(int, int, 4, 8, 16)
DEFT_EMULATED_VECTORS(unsigned, uint, 4, 8, 16)
DEFT_EMULATED_VECTORS(float, float, 4, 8, 16)
DEFT_EMULATED_VECTORS(long long, longlong, 8, 16, 16)
DEFT_EMULATED_VECTORS(unsigned long long, ulonglong, 8, 16, 16)
DEFT_EMULATED_VECTORS(double, double, 8, 16, 16)

#undef DEFT_EMULATED_VECTORS
#undef DEFT_EMULATED_VECTOR

/// Sizes of a grid or a block; what is not given is 1.
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
  constexpr dim3(uint3 size) : x(size.x), y(size.y), z(size.z) {}
};
