#include "deft/layers/softmax.h"

#include "deft/core/autograd.h"
#include "deft/core/dispatch.h"
#include "deft/kernels/softmax.h"

namespace deft {
namespace {

kernels::SoftmaxShape softmax_shape(const Shape& shape, int axis) {
  kernels::SoftmaxShape result{1, shape[axis], 1};
  for (int i = 0; i < axis; ++i) result.outer *= shape[i];
  for (int i = axis + 1; i < shape.dim(); ++i) result.inner *= shape[i];
  return result;
}

/// Records `op` with forward(device, shape, x, y) and backward(device, shape, grad_y, y, grad_x), kernels for any T.
template <class Forward, class BackwardKernel>
Tensor normalized(const char* op, const Tensor& x, int axis, const Forward& forward, const BackwardKernel& backward) {
  const int normal = x.shape().normalized_axis(axis, op);
  const kernels::SoftmaxShape shape = softmax_shape(x.shape(), normal);
  Tensor y = empty_like(x);
  dispatch_floating(x, op, [&]<class T>(auto place) { forward(place, shape, x.data<T>(), y.mutable_data<T>()); });
  record(op, {x}, {{"axis", std::int64_t{normal}}}, {y},
         {.saved = {y}, .apply = [op, shape, backward](const BackwardContext& context) -> std::vector<Tensor> {
            const Tensor &grad = context.grad(), &output = context.saved();
            Tensor grad_x = empty_like(grad);
            dispatch_floating(grad, op, [&]<class T>(auto place) {
              backward(place, shape, grad.data<T>(), output.data<T>(), grad_x.mutable_data<T>());
            });
            return {grad_x};
          }});
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) {
  return normalized(
      "softmax", x, axis, [](auto... arguments) { kernels::softmax_forward(arguments...); },
      [](auto... arguments) { kernels::softmax_backward(arguments...); });
}

Tensor log_softmax(const Tensor& x, int axis) {
  return normalized(
      "log_softmax", x, axis, [](auto... arguments) { kernels::log_softmax_forward(arguments...); },
      [](auto... arguments) { kernels::log_softmax_backward(arguments...); });
}

}  // namespace deft
