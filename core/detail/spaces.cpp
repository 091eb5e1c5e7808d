#include "deft/core/detail/spaces.h"

#include "deft/core/dispatch.h"
#include "deft/kernels/copy.h"
#include "deft/kernels/reduce.h"

namespace deft {

Shape strides_of(const Shape& shape) {
  Shape strides = shape;
  std::int64_t step = 1;
  for (int axis = shape.dim() - 1; axis >= 0; --axis) {
    strides.set(axis, step);
    step *= shape[axis];
  }
  return strides;
}

Shape broadcast_strides(const Shape& shape, const Shape& result) {
  Shape strides = result;
  const Shape own = strides_of(shape);
  const int missing = result.dim() - shape.dim();
  for (int axis = 0; axis < result.dim(); ++axis) {
    const bool repeated = axis < missing || shape[axis - missing] != result[axis];
    strides.set(axis, repeated ? 0 : own[axis - missing]);
  }
  return strides;
}

Tensor sum_to(const Tensor& gradient, const Shape& shape) {
  if (gradient.shape() == shape) return gradient;
  Tensor result = empty(shape, {.dtype = gradient.dtype(), .device = gradient.device()});
  const auto space =
      make_space<2>(gradient.shape(), {strides_of(gradient.shape()), broadcast_strides(shape, gradient.shape())});
  dispatch_floating(gradient, "sum", [&]<class T>(auto place) {
    kernels::reduce<T>(place, kernels::ReduceOp::sum, space, gradient.data<T>(), result.mutable_data<T>());
  });
  return result;
}

Tensor repeat_to(const Tensor& x, const Shape& shape) {
  Tensor result = empty(shape, {.dtype = x.dtype(), .device = x.device()});
  const auto space = make_space<1>(shape, {broadcast_strides(x.shape(), shape)});
  dispatch(x,
           [&]<class T>(auto place) { kernels::copy_strided<T>(place, space, x.data<T>(), result.mutable_data<T>()); });
  return result;
}

}  // namespace deft
