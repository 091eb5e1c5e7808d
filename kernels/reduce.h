// Contract of the reductions. `space` has the shape of the dense input, with the strides of input and output; the axes
// along which the output does not move (stride 0) are reduced. Outputs are overwritten.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/contract.h"
#include "deft/kernels/strided.h"

namespace deft::kernels {

enum class ReduceOp { sum, mean, max, min };

/// output = the sum, mean, maximum or minimum over the reduced axes. float32, float64; also int64 but for mean. Sums of
/// floating numbers are taken in float64. NaN propagates. Over nothing, sum gives 0 and mean NaN; max and min need at
/// least one element.
DEFT_CONTRACT((class T), void, reduce, ReduceOp op, const Strided<2>& space, const T* input, T* output);

/// output = the row-major position, among the reduced axes, of the first maximum; NaN counts as the maximum. Needs at
/// least one element. float32, float64, int64.
DEFT_CONTRACT((class T), void, argmax, const Strided<2>& space, const T* input, std::int64_t* output);

}  // namespace deft::kernels
