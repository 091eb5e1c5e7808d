// How a CPU kernel is compiled for several instruction sets: the build compiles each file of deft_kernels()
// (kernels/CMakeLists.txt) once per set, with the set's flags. For such a file and for every header that only such
// files include:
// - Everything stands in the namespace DEFT_SIMD, whose name tells the set, except the functions of the contract, whose
//   first parameter is the set's DEFT_SIMD::Set. They are instantiated at the end, explicitly.
// - Where the linker finds one inline function or template in several files it keeps any of them, and a copy compiled
//   for AVX-512 would then run on every machine. So call no function or function template of std or Eigen that is not
//   surely inlined, fill no std container but of a type from DEFT_SIMD, build no strings: errors are thrown before
//   kernels run. What deft's shared headers offer is DEFT_ALWAYS_INLINE, or not inline. The test "instruction sets"
//   looks for AVX in all functions whose names do not tell a set.
#pragma once

#include "deft/kernels/runtime/contract.h"

// The build gives the width of the vectors; files that are not compiled per set belong to the first one.
#ifndef DEFT_SIMD_BYTES
#define DEFT_SIMD_BYTES 16
#endif
#if DEFT_SIMD_BYTES == 64
#define DEFT_SIMD simd_avx512
#define DEFT_SIMD_EIGEN simd_avx512_eigen
#elif DEFT_SIMD_BYTES == 32
#define DEFT_SIMD simd_avx2
#define DEFT_SIMD_EIGEN simd_avx2_eigen
#else
#define DEFT_SIMD simd_baseline
#define DEFT_SIMD_EIGEN simd_baseline_eigen
#endif

// The namespace of what kernels of both devices share the source of.
#define DEFT_PLACE DEFT_SIMD
