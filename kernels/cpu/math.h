// Elementary functions. Those written here, in float32, have a form that compilers turn into vector code, without
// branches and calls; they are within two units in the last place of the exact result, and right at infinities and NaN.
// The others, and all in float64, are the standard library's.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "deft/kernels/runtime/cpu/kernel.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels::DEFT_PLACE::math {

/// False for integers; without the overloads that std::isnan would need for them.
template <class T>
bool is_nan(T x) {
  return x != x;
}

using std::abs;
using std::log;
using std::log1p;
using std::pow;
using std::sqrt;

inline double exp(double x) { return std::exp(x); }
inline double expm1(double x) { return std::expm1(x); }
inline double tanh(double x) { return std::tanh(x); }
inline double erf(double x) { return std::erf(x); }

/// x = n · ln 2 + r with |r| <= ln 2 / 2, and exp(r) − 1 by the polynomial of Cephes' expf (Moshier).
struct ReducedExp {
  std::int32_t n;
  float minus_one;  ///< exp(r) − 1

  DEFT_ALWAYS_INLINE explicit ReducedExp(float x) {
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    constexpr float round = 12582912.0f;  // 1.5 · 2²³: adding it leaves the nearest integer in the low bits
    const float shifted = x * 1.44269504f + round;
    n = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(round);
    const float whole = shifted - round;
    const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    minus_one = p * (r * r) + r;
  }
};

/// 2ⁿ of a normal number.
inline float power_of_two(std::int32_t n) { return std::bit_cast<float>((n + 127) << 23); }

inline float exp(float x) {
  const ReducedExp reduced(x);
  // 2ⁿ in two factors, since n goes beyond the exponents of normal numbers.
  const std::int32_t half = reduced.n >> 1;
  return (reduced.minus_one + 1.0f) * power_of_two(half) * power_of_two(reduced.n - half);
}

/// 2ⁿ · (exp(r) − 1) + (2ⁿ − 1), whose last term is exact where it counts.
inline float expm1(float x) {
  const ReducedExp reduced(x < -20.0f ? -20.0f : x > 20.0f ? 20.0f : x);
  const float power = power_of_two(reduced.n), near = reduced.minus_one * power + (power - 1.0f);
  const float result = x > 20.0f ? exp(x) : near;
  return x == 0.0f ? x : result;  // the zero of either sign
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

}  // namespace deft::kernels::DEFT_PLACE::math
