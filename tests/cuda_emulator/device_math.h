// Functions of device code that the host's <math.h> lacks.
#pragma once

#include <math.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>

// Single operations: the compiler may not fuse them with others, as it otherwise may.
#define DEFT_ROUNDED(name, T, expression) \
  inline T name(T a, T b) {               \
    T result = expression;                \
    asm("" : "+x"(result));               \
    return result;                        \
  }
DEFT_ROUNDED(__fadd_rn, float, a + b)
DEFT_ROUNDED(__fsub_rn, float, a - b)
DEFT_ROUNDED(__fmul_rn, float, a* b)
DEFT_ROUNDED(__fdiv_rn, float, a / b)
DEFT_ROUNDED(__dadd_rn, double, a + b)
DEFT_ROUNDED(__dsub_rn, double, a - b)
DEFT_ROUNDED(__dmul_rn, double, a* b)
DEFT_ROUNDED(__ddiv_rn, double, a / b)
#undef DEFT_ROUNDED

inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }
inline float __frcp_rn(float a) { return 1.0f / a; }

// The fast ones are exact here.
inline float rsqrtf(float a) { return 1.0f / std::sqrt(a); }
inline double rsqrt(double a) { return 1.0 / std::sqrt(a); }
inline float rsqrt(float a) { return rsqrtf(a); }
inline float __frsqrt_rn(float a) { return rsqrtf(a); }
inline float __expf(float a) { return std::exp(a); }
inline float __exp10f(float a) { return std::pow(10.0f, a); }
inline float __logf(float a) { return std::log(a); }
inline float __log2f(float a) { return std::log2(a); }
inline float __log10f(float a) { return std::log10(a); }
inline float __powf(float a, float b) { return std::pow(a, b); }
inline float __sinf(float a) { return std::sin(a); }
inline float __cosf(float a) { return std::cos(a); }
inline float __tanf(float a) { return std::tan(a); }
inline float __fdividef(float a, float b) { return a / b; }
inline float fdividef(float a, float b) { return a / b; }
inline float __saturatef(float a) { return a > 0.0f ? std::fmin(a, 1.0f) : 0.0f; }
inline float sinpif(float a) { return static_cast<float>(std::sin(a * 3.141592653589793)); }
inline float cospif(float a) { return static_cast<float>(std::cos(a * 3.141592653589793)); }
inline double sinpi(double a) { return std::sin(a * 3.141592653589793); }
inline double cospi(double a) { return std::cos(a * 3.141592653589793); }

// Unlike C++, the device saturates what does not fit and makes NaN zero (the largest negative number for 64 bits).
namespace cuda_emulator {

template <class Integer, class Float>
Integer saturate(Float rounded) {
  constexpr Float past = static_cast<Float>(1ull << (sizeof(Integer) * 8 - 2)) * 2;  // of the signed type
  constexpr bool is_signed = static_cast<Integer>(-1) < 0;
  constexpr Integer most = is_signed ? static_cast<Integer>(~(1ull << (sizeof(Integer) * 8 - 1))) : ~Integer{0};
  if (rounded != rounded) return sizeof(Integer) == 8 ? static_cast<Integer>(1ull << 63) : 0;
  if (rounded >= (is_signed ? past : past * 2)) return most;
  if (rounded < (is_signed ? -past : Float{0})) return is_signed ? static_cast<Integer>(-most - 1) : 0;
  return static_cast<Integer>(rounded);
}

}  // namespace cuda_emulator

#define DEFT_CONVERSIONS(from, F, to, I)                                                       \
  inline I __##from##2##to##_rn(F a) { return cuda_emulator::saturate<I>(std::nearbyint(a)); } \
  inline I __##from##2##to##_rz(F a) { return cuda_emulator::saturate<I>(std::trunc(a)); }     \
  inline I __##from##2##to##_rd(F a) { return cuda_emulator::saturate<I>(std::floor(a)); }     \
  inline I __##from##2##to##_ru(F a) { return cuda_emulator::saturate<I>(std::ceil(a)); }
DEFT_CONVERSIONS(float, float, int, int)
DEFT_CONVERSIONS(float, float, uint, unsigned)
DEFT_CONVERSIONS(float, float, ll, long long)
DEFT_CONVERSIONS(float, float, ull, unsigned long long)
DEFT_CONVERSIONS(double, double, int, int)
DEFT_CONVERSIONS(double, double, uint, unsigned)
DEFT_CONVERSIONS(double, double, ll, long long)
DEFT_CONVERSIONS(double, double, ull, unsigned long long)
#undef DEFT_CONVERSIONS

inline float __int2float_rn(int a) { return static_cast<float>(a); }
inline float __uint2float_rn(unsigned a) { return static_cast<float>(a); }
inline double __int2double_rn(int a) { return a; }
inline float __double2float_rn(double a) { return static_cast<float>(a); }

inline int __float_as_int(float a) { return std::bit_cast<int>(a); }
inline unsigned __float_as_uint(float a) { return std::bit_cast<unsigned>(a); }
inline float __int_as_float(int a) { return std::bit_cast<float>(a); }
inline float __uint_as_float(unsigned a) { return std::bit_cast<float>(a); }
inline long long __double_as_longlong(double a) { return std::bit_cast<long long>(a); }
inline double __longlong_as_double(long long a) { return std::bit_cast<double>(a); }

inline int __clz(int a) { return std::countl_zero(static_cast<unsigned>(a)); }
inline int __clzll(long long a) { return std::countl_zero(static_cast<unsigned long long>(a)); }
inline int __popc(unsigned a) { return std::popcount(a); }
inline int __popcll(unsigned long long a) { return std::popcount(a); }
inline int __ffs(int a) { return __builtin_ffs(a); }
inline int __ffsll(long long a) { return __builtin_ffsll(a); }
inline int __mulhi(int a, int b) { return static_cast<int>(static_cast<long long>(a) * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<unsigned long long>(a) * b >> 32);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}

#define DEFT_MIN_MAX(T)                            \
  inline T min(T a, T b) { return b < a ? b : a; } \
  inline T max(T a, T b) { return a < b ? b : a; }
DEFT_MIN_MAX(int)
DEFT_MIN_MAX(unsigned)
DEFT_MIN_MAX(long)
DEFT_MIN_MAX(unsigned long)
DEFT_MIN_MAX(long long)
DEFT_MIN_MAX(unsigned long long)
#undef DEFT_MIN_MAX
inline float min(float a, float b) { return std::fmin(a, b); }
inline float max(float a, float b) { return std::fmax(a, b); }
inline double min(double a, double b) { return std::fmin(a, b); }
inline double max(double a, double b) { return std::fmax(a, b); }

// Loads and stores with a hint for the cache.
template <class T>
T __ldg(const T* address) {
  return *address;
}
template <class T>
T __ldcs(const T* address) {
  return *address;
}
template <class T>
T __ldcg(const T* address) {
  return *address;
}
template <class T>
void __stcs(T* address, T value) {
  *address = value;
}
template <class T>
void __stcg(T* address, T value) {
  *address = value;
}

namespace cuda_emulator {

/// As cvt.rna.tf32.f32: 10 bits of mantissa, to nearest, ties away from zero.
inline float round_to_tf32(float a) {
  if (!std::isfinite(a)) return a;
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(a) + 0x1000u) & 0xffffe000u);
}

}  // namespace cuda_emulator
