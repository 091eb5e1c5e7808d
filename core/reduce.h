// Reductions over axes. `axes` may be negative, counted from the end; none at all means all. With `keepdim` the reduced
// axes stay, with size 1. Axes out of range or given twice throw Error.
#pragma once

#include <vector>

#include "deft/core/tensor.h"

namespace deft {

/// float32, float64 (added in float64) and int64; uint8 is summed as int64. Over nothing: 0.
Tensor sum(const Tensor& x, const std::vector<int>& axes = {}, bool keepdim = false);

/// float32 and float64. Over nothing: NaN.
Tensor mean(const Tensor& x, const std::vector<int>& axes = {}, bool keepdim = false);

/// Largest and smallest elements; float32, float64, int64. NaN propagates. Equal extrema share the gradient evenly, as
/// in PyTorch's amax. Throws Error over nothing.
Tensor max(const Tensor& x, const std::vector<int>& axes = {}, bool keepdim = false);
Tensor min(const Tensor& x, const std::vector<int>& axes = {}, bool keepdim = false);

/// Position (int64) of the first largest element, row-major among the reduced axes; NaN counts as the largest. No
/// gradient. Throws Error over nothing.
Tensor argmax(const Tensor& x, const std::vector<int>& axes = {}, bool keepdim = false);

}  // namespace deft
