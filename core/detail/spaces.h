// From shapes to the strided spaces of kernels.
#pragma once

#include <initializer_list>

#include "deft/core/shape.h"
#include "deft/core/tensor.h"
#include "deft/kernels/strided.h"

namespace deft {

/// Row-major strides of `shape`.
Shape strides_of(const Shape& shape);

/// Strides with which a tensor of `shape` moves through `result`, to which it broadcasts: 0 along axes that it lacks or
/// has once.
Shape broadcast_strides(const Shape& shape, const Shape& result);

/// The space of `shape` with the given strides of each operand.
template <int operands>
kernels::Strided<operands> make_space(const Shape& shape, const Shape (&strides)[operands]) {
  kernels::Strided<operands> space;
  for (int axis = 0; axis < shape.dim(); ++axis) {
    std::int64_t steps[operands];
    for (int i = 0; i < operands; ++i) steps[i] = strides[i][axis];
    space.add_axis(shape[axis], steps);
  }
  return space;
}

/// Sums a gradient over the axes along which an operand of `shape` was broadcast. Not recorded.
Tensor sum_to(const Tensor& gradient, const Shape& shape);

/// Repeats a tensor along the axes in which `shape` is larger; the opposite of sum_to. Not recorded.
Tensor repeat_to(const Tensor& x, const Shape& shape);

}  // namespace deft
