// Elementary functions in a form that compilers turn into vector code: no branches, no calls. float32 within two units
// in the last place of the exact result, and right at infinities and NaN; float64 is the standard library's.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "deft/kernels/runtime/cpu/kernel.h"

namespace deft::kernels::DEFT_SIMD::vector_math {

/// False for integers; without the overloads that std::isnan would need for them.
template <class T>
bool is_nan(T x) {
  return x != x;
}

inline double exp(double x) { return std::exp(x); }
inline double tanh(double x) { return std::tanh(x); }
inline double erf(double x) { return std::erf(x); }

/// x = n · ln 2 + r, |r| <= ln 2 / 2; polynomial of Cephes' expf (Moshier).
inline float exp(float x) {
  x = x < -104.0f ? -104.0f : x;
  x = x > 89.0f ? 89.0f : x;
  constexpr float round = 12582912.0f;  // 1.5 · 2²³: adding it leaves the nearest integer in the low bits
  const float shifted = x * 1.44269504f + round;
  const std::int32_t n = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(round);
  const float whole = shifted - round;
  const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float y = p * (r * r) + r + 1.0f;
  // 2ⁿ in two factors, since n goes beyond the exponents of normal numbers.
  const std::int32_t half = n >> 1;
  return y * std::bit_cast<float>((half + 127) << 23) * std::bit_cast<float>((n - half + 127) << 23);
}

/// Near 0 the polynomial of Cephes' tanhf, elsewhere 1 − 2 / (exp(2|x|) + 1).
inline float tanh(float x) {
  const float z = x * x, magnitude = std::abs(x);
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float near = p * z * x + x;
  const float far = std::copysign(1.0f - 2.0f / (exp(2.0f * magnitude) + 1.0f), x);
  return magnitude < 0.625f ? near : far;
}

/// Up to 1 a polynomial in x² for erf(x)/x − 1, beyond it 1 − exp(p(|x|)) with p for log erfc; both are minimax fits.
inline float erf(float x) {
  const float s = x * x;
  float q = -5.631471830e-4f;
  q = q * s + 4.917565205e-3f;
  q = q * s - 2.671132526e-2f;
  q = q * s + 1.128018073e-1f;
  q = q * s - 3.761232630e-1f;
  q = q * s + 1.283791226e-1f;
  const float near = q * x + x;
  const float magnitude = std::abs(x), t = magnitude > 4.0f ? 4.0f : magnitude;  // erf(4) rounds to 1
  float p = 1.924252424e-4f;
  p = p * t - 3.008529627e-3f;
  p = p * t + 2.208761278e-2f;
  p = p * t - 1.036402675e-1f;
  p = p * t - 6.375170718e-1f;
  p = p * t - 1.127474950f;
  p = p * t - 2.447218097e-4f;
  const float far = std::copysign(1.0f - exp(p), x);
  return magnitude < 1.0f ? near : far;
}

}  // namespace deft::kernels::DEFT_SIMD::vector_math
