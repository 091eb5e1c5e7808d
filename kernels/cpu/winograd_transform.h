// The transforms of Winograd's convolution F(4×4, 3×3) with the points 0, ±3/4, ±3/2, ∞, in vectors of channels.
//
// In one dimension, 4 outputs y of a filter g over 6 inputs d are y = Aᵀ((G g) ⊙ (Bᵀ d)): a filter and an input, as
// polynomials, are evaluated at 6 points and the products interpolated. In two dimensions each transform is applied to
// columns, then to rows (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015). These points, not the
// usual 0, ±1, ±2, keep the float32 error a quarter as large, and all factors of Aᵀ and Bᵀ are exact.
#pragma once

#include <cstdint>

#include "deft/kernels/cpu/simd.h"

namespace deft::kernels::DEFT_SIMD {

constexpr int winograd_outputs = 4;    ///< side of a tile of outputs
constexpr int winograd_inputs = 6;     ///< side of the tile of inputs that these read
constexpr int winograd_products = 36;  ///< products per tile: the frequencies

/// The first `count` elements (all, where there are more), and zeros in the other lanes; reads no others.
inline Vector<float> load_first(const float* from, std::int64_t count) {
  if (count >= lanes<float>) return load(from);
  float own[lanes<float>] = {};
  for (std::int64_t i = 0; i < count; ++i) own[i] = from[i];
  return load(own);
}

/// Writes the first `count` lanes (all, where there are fewer) and nothing else.
inline void store_first(float* to, Vector<float> vector, std::int64_t count) {
  if (count >= lanes<float>) {
    store(to, vector);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) to[i] = vector[static_cast<int>(i)];
}

/// Bᵀ d.
template <class V>
inline void winograd_input(const V (&d)[6], V (&to)[6]) {
  constexpr float a2 = 0.5625F, b2 = 2.25F;  // squares of the points
  const V even_a = d[4] - d[2] * b2, odd_a = d[3] - d[1] * b2;
  const V even_b = d[4] - d[2] * a2, odd_b = d[3] - d[1] * a2;
  to[0] = d[4] + d[0] * (a2 * b2) - d[2] * (a2 + b2);
  to[1] = even_a + odd_a * 0.75F;
  to[2] = even_a - odd_a * 0.75F;
  to[3] = even_b + odd_b * 1.5F;
  to[4] = even_b - odd_b * 1.5F;
  to[5] = d[5] + d[1] * (a2 * b2) - d[3] * (a2 + b2);
}

/// Aᵀ m.
template <class V>
inline void winograd_output(const V (&m)[6], V (&to)[4]) {
  const V even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
  to[0] = m[0] + even_a + even_b;
  to[1] = odd_a * 0.75F + odd_b * 1.5F;
  to[2] = even_a * 0.5625F + even_b * 2.25F;
  to[3] = m[5] + odd_a * 0.421875F + odd_b * 3.375F;
}

/// G g.
template <class V>
inline void winograd_filter(const V (&g)[3], V (&to)[6]) {
  // 1 / Π(p − q) over the other points q
  constexpr float at_0 = 64.0F / 81, at_a = -128.0F / 243, at_b = 32.0F / 243;
  const V even_a = (g[0] + g[2] * 0.5625F) * at_a, odd_a = g[1] * (0.75F * at_a);
  const V even_b = (g[0] + g[2] * 2.25F) * at_b, odd_b = g[1] * (1.5F * at_b);
  to[0] = g[0] * at_0;
  to[1] = even_a + odd_a;
  to[2] = even_a - odd_a;
  to[3] = even_b + odd_b;
  to[4] = even_b - odd_b;
  to[5] = g[2];
}

}  // namespace deft::kernels::DEFT_SIMD
