// How a CPU kernel is compiled for several instruction sets: the build compiles each file of DEFT_KERNELS
// (kernels/CMakeLists.txt) once per set, with the set's flags. For such a file and for every header that only such
// files include:
// - Everything stands in the namespace DEFT_SIMD, whose name tells the set, but for the list of DEFT_KERNEL at the end.
// - Where the linker finds one inline function or template in several files it keeps any of them, and a copy compiled
//   for AVX-512 would then run on every machine. So call no function or function template of std or Eigen that is not
//   surely inlined, fill no std container but of a type from DEFT_SIMD, build no strings: errors are thrown before
//   kernels run. What deft's shared headers offer is DEFT_ALWAYS_INLINE, or not inline. The test "instruction sets"
//   looks for AVX in all functions whose names do not tell a set.
#pragma once

#include "deft/kernels/runtime/instruction_set.h"

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

// DEFT_KERNEL(void, fill, Cpu, std::int64_t, float, float*) in namespace deft::kernels makes an instance
// of the template DEFT_SIMD::fill the set's version of the contract's function with these types; compiled for
// the first set it also defines that function, which calls the version for the machine.
#define DEFT_KERNEL(Result, name, ...)                                                               \
  namespace DEFT_SIMD::versions {                                                                    \
  Result name(DEFT_PARAMETERS(__VA_ARGS__)) { return DEFT_SIMD::name(DEFT_ARGUMENTS(__VA_ARGS__)); } \
  }                                                                                                  \
  DEFT_CONTRACT_FUNCTION(Result, name, __VA_ARGS__)

#if DEFT_SIMD_BYTES != 16
#define DEFT_CONTRACT_FUNCTION(Result, name, ...)
#elif defined(DEFT_X86_64_SETS)
#define DEFT_CONTRACT_FUNCTION(Result, name, ...)                          \
  namespace simd_avx2::versions {                                          \
  Result name(__VA_ARGS__);                                                \
  }                                                                        \
  namespace simd_avx512::versions {                                        \
  Result name(__VA_ARGS__);                                                \
  }                                                                        \
  template <>                                                              \
  Result name(DEFT_PARAMETERS(__VA_ARGS__)) {                              \
    switch (instruction_set()) {                                           \
      case InstructionSet::avx512:                                         \
        return simd_avx512::versions::name(DEFT_ARGUMENTS(__VA_ARGS__));   \
      case InstructionSet::avx2:                                           \
        return simd_avx2::versions::name(DEFT_ARGUMENTS(__VA_ARGS__));     \
      default:                                                             \
        return simd_baseline::versions::name(DEFT_ARGUMENTS(__VA_ARGS__)); \
    }                                                                      \
  }
#else
#define DEFT_CONTRACT_FUNCTION(Result, name, ...)                      \
  template <>                                                          \
  Result name(DEFT_PARAMETERS(__VA_ARGS__)) {                          \
    return simd_baseline::versions::name(DEFT_ARGUMENTS(__VA_ARGS__)); \
  }
#endif

// DEFT_PARAMETERS(A, B) is A p2, B p1; DEFT_ARGUMENTS(A, B) is p2, p1.
#define DEFT_PARAMETERS(...) DEFT_BY_COUNT(DEFT_PARAMETERS_, __VA_ARGS__)(__VA_ARGS__)
#define DEFT_ARGUMENTS(...) DEFT_BY_COUNT(DEFT_ARGUMENTS_, __VA_ARGS__)
#define DEFT_BY_COUNT(macro, ...)                                                                                     \
  DEFT_13TH(__VA_ARGS__, macro##12, macro##11, macro##10, macro##9, macro##8, macro##7, macro##6, macro##5, macro##4, \
            macro##3, macro##2, macro##1, )
#define DEFT_13TH(a, b, c, d, e, f, g, h, i, j, k, l, m, ...) m
#define DEFT_PARAMETERS_1(Type) Type p1
#define DEFT_PARAMETERS_2(Type, ...) Type p2, DEFT_PARAMETERS_1(__VA_ARGS__)
#define DEFT_PARAMETERS_3(Type, ...) Type p3, DEFT_PARAMETERS_2(__VA_ARGS__)
#define DEFT_PARAMETERS_4(Type, ...) Type p4, DEFT_PARAMETERS_3(__VA_ARGS__)
#define DEFT_PARAMETERS_5(Type, ...) Type p5, DEFT_PARAMETERS_4(__VA_ARGS__)
#define DEFT_PARAMETERS_6(Type, ...) Type p6, DEFT_PARAMETERS_5(__VA_ARGS__)
#define DEFT_PARAMETERS_7(Type, ...) Type p7, DEFT_PARAMETERS_6(__VA_ARGS__)
#define DEFT_PARAMETERS_8(Type, ...) Type p8, DEFT_PARAMETERS_7(__VA_ARGS__)
#define DEFT_PARAMETERS_9(Type, ...) Type p9, DEFT_PARAMETERS_8(__VA_ARGS__)
#define DEFT_PARAMETERS_10(Type, ...) Type p10, DEFT_PARAMETERS_9(__VA_ARGS__)
#define DEFT_PARAMETERS_11(Type, ...) Type p11, DEFT_PARAMETERS_10(__VA_ARGS__)
#define DEFT_PARAMETERS_12(Type, ...) Type p12, DEFT_PARAMETERS_11(__VA_ARGS__)
#define DEFT_ARGUMENTS_1 p1
#define DEFT_ARGUMENTS_2 p2, DEFT_ARGUMENTS_1
#define DEFT_ARGUMENTS_3 p3, DEFT_ARGUMENTS_2
#define DEFT_ARGUMENTS_4 p4, DEFT_ARGUMENTS_3
#define DEFT_ARGUMENTS_5 p5, DEFT_ARGUMENTS_4
#define DEFT_ARGUMENTS_6 p6, DEFT_ARGUMENTS_5
#define DEFT_ARGUMENTS_7 p7, DEFT_ARGUMENTS_6
#define DEFT_ARGUMENTS_8 p8, DEFT_ARGUMENTS_7
#define DEFT_ARGUMENTS_9 p9, DEFT_ARGUMENTS_8
#define DEFT_ARGUMENTS_10 p10, DEFT_ARGUMENTS_9
#define DEFT_ARGUMENTS_11 p11, DEFT_ARGUMENTS_10
#define DEFT_ARGUMENTS_12 p12, DEFT_ARGUMENTS_11
