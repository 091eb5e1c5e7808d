// Elementwise functions and operators. Two tensors broadcast by NumPy's rules and must have one type and device; a
// number takes the type of the tensor, which must be able to hold it. Wrong types and shapes throw Error. Unless stated
// otherwise, arithmetic is for float32, float64 and int64, the other functions for float32 and float64, and all are
// differentiable.
#pragma once

#include "deft/core/tensor.h"

namespace deft {

Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
/// Floating types only.
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& x);

Tensor operator+(const Tensor& a, double b);
Tensor operator-(const Tensor& a, double b);
Tensor operator*(const Tensor& a, double b);
Tensor operator/(const Tensor& a, double b);
Tensor operator+(double a, const Tensor& b);
Tensor operator-(double a, const Tensor& b);
Tensor operator*(double a, const Tensor& b);
Tensor operator/(double a, const Tensor& b);

/// aᵇ. Floating types only.
Tensor pow(const Tensor& a, const Tensor& b);
Tensor pow(const Tensor& a, double b);
/// The smaller and the larger element. NaN propagates; where both are equal each gets half the gradient.
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);

/// The derivative at 0 is 0. Also int64.
Tensor abs(const Tensor& x);
Tensor exp(const Tensor& x);
/// Natural logarithm.
Tensor log(const Tensor& x);
/// log(1 + x), as exact near 0 as elsewhere.
Tensor log1p(const Tensor& x);
Tensor sqrt(const Tensor& x);
/// min(max(x, low), high); NaN stays NaN; the gradient passes where low <= x <= high. Throws Error unless low <= high.
Tensor clamp(const Tensor& x, double low, double high);

/// Comparisons give uint8, 1 where they hold. All types; no gradient.
Tensor eq(const Tensor& a, const Tensor& b);
Tensor ne(const Tensor& a, const Tensor& b);
Tensor lt(const Tensor& a, const Tensor& b);
Tensor le(const Tensor& a, const Tensor& b);
Tensor gt(const Tensor& a, const Tensor& b);
Tensor ge(const Tensor& a, const Tensor& b);
Tensor eq(const Tensor& a, double b);
Tensor ne(const Tensor& a, double b);
Tensor lt(const Tensor& a, double b);
Tensor le(const Tensor& a, double b);
Tensor gt(const Tensor& a, double b);
Tensor ge(const Tensor& a, double b);

/// Elements of a where `condition` (uint8) is not 0, else of b. All types.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

}  // namespace deft
