// The transforms of Winograd's convolution F(4×4, 3×3) with the points 0, ±3/4, ±3/2, ∞, in vectors of channels.
//
// In one dimension, 4 outputs y of a filter g over 6 inputs d are y = Aᵀ((G g) ⊙ (Bᵀ d)): a filter and an input, as
// polynomials, are evaluated at 6 points and the products interpolated. In two dimensions each transform is applied to
// columns, then to rows (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015). The filter's
// gradient is Gᵀ((A y) ⊙ (Bᵀ d)). These points, not the usual 0, ±1, ±2, keep the float32 error a quarter as large; all
// factors of Aᵀ and Bᵀ are exact.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/cpu/simd.h"

namespace deft::kernels::DEFT_SIMD {

constexpr int winograd_outputs = 4;    ///< side of a tile of outputs
constexpr int winograd_inputs = 6;     ///< side of the tile of inputs that these read
constexpr int winograd_products = 36;  ///< products per tile: the frequencies

// A transform in one dimension, from `inputs` to `outputs` vectors. ±a and ±b are the points; where two are opposite,
// the even and the odd powers are taken once for both.
namespace winograd_points {
constexpr float a = 0.75F, a2 = a * a, a3 = a2 * a, b = 1.5F, b2 = b * b, b3 = b2 * b;
// 1 / Π(p − q) over the points q but p
constexpr float factor_0 = 64.0F / 81, factor_a = -128.0F / 243, factor_b = 32.0F / 243;
}  // namespace winograd_points

/// Bᵀ d.
struct InputTransform {
  static constexpr int inputs = 6, outputs = 6;

  static void apply(const Vector<float> (&d)[6], Vector<float> (&to)[6]) {
    using namespace winograd_points;
    const Vector<float> even_a = d[4] - d[2] * b2, odd_a = d[3] - d[1] * b2;
    const Vector<float> even_b = d[4] - d[2] * a2, odd_b = d[3] - d[1] * a2;
    to[0] = d[4] + d[0] * (a2 * b2) - d[2] * (a2 + b2);
    to[1] = even_a + odd_a * a;
    to[2] = even_a - odd_a * a;
    to[3] = even_b + odd_b * b;
    to[4] = even_b - odd_b * b;
    to[5] = d[5] + d[1] * (a2 * b2) - d[3] * (a2 + b2);
  }
};

/// Aᵀ m.
struct OutputTransform {
  static constexpr int inputs = 6, outputs = 4;

  static void apply(const Vector<float> (&m)[6], Vector<float> (&to)[4]) {
    using namespace winograd_points;
    const Vector<float> even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
    to[0] = m[0] + even_a + even_b;
    to[1] = odd_a * a + odd_b * b;
    to[2] = even_a * a2 + even_b * b2;
    to[3] = m[5] + odd_a * a3 + odd_b * b3;
  }
};

/// A y.
struct OutputGradientTransform {
  static constexpr int inputs = 4, outputs = 6;

  static void apply(const Vector<float> (&y)[4], Vector<float> (&to)[6]) {
    using namespace winograd_points;
    const Vector<float> even_a = y[0] + y[2] * a2, odd_a = y[1] + y[3] * a2;
    const Vector<float> even_b = y[0] + y[2] * b2, odd_b = y[1] + y[3] * b2;
    to[0] = y[0];
    to[1] = even_a + odd_a * a;
    to[2] = even_a - odd_a * a;
    to[3] = even_b + odd_b * b;
    to[4] = even_b - odd_b * b;
    to[5] = y[3];
  }
};

/// G g.
struct FilterTransform {
  static constexpr int inputs = 3, outputs = 6;

  static void apply(const Vector<float> (&g)[3], Vector<float> (&to)[6]) {
    using namespace winograd_points;
    const Vector<float> even_a = (g[0] + g[2] * a2) * factor_a, odd_a = g[1] * (a * factor_a);
    const Vector<float> even_b = (g[0] + g[2] * b2) * factor_b, odd_b = g[1] * (b * factor_b);
    to[0] = g[0] * factor_0;
    to[1] = even_a + odd_a;
    to[2] = even_a - odd_a;
    to[3] = even_b + odd_b;
    to[4] = even_b - odd_b;
    to[5] = g[2];
  }
};

/// Gᵀ m.
struct FilterGradientTransform {
  static constexpr int inputs = 6, outputs = 3;

  static void apply(const Vector<float> (&m)[6], Vector<float> (&to)[3]) {
    using namespace winograd_points;
    const Vector<float> even_a = (m[1] + m[2]) * factor_a, even_b = (m[3] + m[4]) * factor_b;
    to[0] = m[0] * factor_0 + even_a + even_b;
    to[1] = (m[1] - m[2]) * (a * factor_a) + (m[3] - m[4]) * (b * factor_b);
    to[2] = m[5] + even_a * a2 + even_b * b2;
  }
};

/// Transforms a square, read(y, x), in both dimensions: calls write(y, x, value) row by row.
template <class Transform, class Read, class Write>
__attribute__((always_inline, no_sanitize("undefined"))) inline void transform_square(Read read, Write write) {
  constexpr int inputs = Transform::inputs, outputs = Transform::outputs;
  Vector<float> half[outputs][inputs];
  DEFT_UNROLL
  for (int x = 0; x < inputs; ++x) {
    Vector<float> column[inputs], transformed[outputs];
    DEFT_UNROLL
    for (int y = 0; y < inputs; ++y) column[y] = read(y, x);
    Transform::apply(column, transformed);
    DEFT_UNROLL
    for (int y = 0; y < outputs; ++y) half[y][x] = transformed[y];
  }
  DEFT_UNROLL
  for (int y = 0; y < outputs; ++y) {
    Vector<float> transformed[outputs];
    Transform::apply(half[y], transformed);
    DEFT_UNROLL
    for (int x = 0; x < outputs; ++x) write(y, x, transformed[x]);
  }
}

/// The same to frequencies, `stride` elements apart.
template <class Transform, class Read>
__attribute__((always_inline)) inline void to_frequencies(Read read, float* to, std::int64_t stride) {
  transform_square<Transform>(
      read, [&](int, int, Vector<float> value) __attribute__((always_inline)) {
        store(to, value);
        to += stride;
      });
}

/// The same from frequencies, `stride` elements apart.
template <class Transform, class Write>
__attribute__((always_inline)) inline void from_frequencies(const float* from, std::int64_t stride, Write write) {
  transform_square<Transform>(
      [&](int y, int x) __attribute__((always_inline)) { return load(from + (y * winograd_inputs + x) * stride); },
      write);
}

}  // namespace deft::kernels::DEFT_SIMD
