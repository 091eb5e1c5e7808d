// How the contracts in kernels/ declare their functions.
#pragma once

#include "deft/kernels/runtime/device.h"

namespace deft::kernels {

// The first argument of a CPU kernel: the instruction set that it is compiled for. on_place gives the machine's.

namespace simd_baseline {
struct Set : Cpu {};
}  // namespace simd_baseline

#ifdef __x86_64__
namespace simd_avx2 {
struct Set : Cpu {};
}  // namespace simd_avx2

namespace simd_avx512 {
struct Set : Cpu {};
}  // namespace simd_avx512
#endif

}  // namespace deft::kernels

/// DEFT_CONTRACT((class T), void, fill, std::int64_t n, T value, T* output) declares the function template fill for
/// each place where it runs: with a Cuda before these parameters, which kernels/cuda/ defines, and with the Set of each
/// instruction set, which kernels/cpu/ defines. Both instantiate it for the types that the contract names.
#ifdef __x86_64__
#define DEFT_CONTRACT(TemplateParameters, Result, name, ...)                           \
  DEFT_CONTRACT_AT(kernels::Cuda, TemplateParameters, Result, name, __VA_ARGS__);      \
  DEFT_CONTRACT_AT(simd_baseline::Set, TemplateParameters, Result, name, __VA_ARGS__); \
  DEFT_CONTRACT_AT(simd_avx2::Set, TemplateParameters, Result, name, __VA_ARGS__);     \
  DEFT_CONTRACT_AT(simd_avx512::Set, TemplateParameters, Result, name, __VA_ARGS__)
#else
#define DEFT_CONTRACT(TemplateParameters, Result, name, ...)                      \
  DEFT_CONTRACT_AT(kernels::Cuda, TemplateParameters, Result, name, __VA_ARGS__); \
  DEFT_CONTRACT_AT(simd_baseline::Set, TemplateParameters, Result, name, __VA_ARGS__)
#endif
#define DEFT_CONTRACT_AT(Place, TemplateParameters, Result, name, ...) \
  template <DEFT_CONTRACT_LIST TemplateParameters>                     \
  Result name(Place, __VA_ARGS__)
#define DEFT_CONTRACT_LIST(...) __VA_ARGS__
