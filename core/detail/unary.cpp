#include "deft/core/detail/unary.h"

#include <utility>

#include "deft/core/dispatch.h"

namespace deft::detail {

Tensor unary(const char* op, const kernels::Unary& function, const Tensor& x, Tensor result, Attributes attributes) {
  const auto forward = [&]<class T>(auto place) {
    kernels::unary_forward<T>(place, function, x.numel(), x.data<T>(), result.mutable_data<T>());
  };
  if (function.op == kernels::UnaryOp::neg || function.op == kernels::UnaryOp::abs) {
    dispatch_signed(x, op, forward);
  } else {
    dispatch_floating(x, op, forward);
  }
  record(op, {x}, std::move(attributes), {result},
         {.saved = {kernels::backward_reads_output(function.op) ? result : x},
          .apply = [op, function](const BackwardContext& context) -> std::vector<Tensor> {
            const Tensor &grad = context.grad(), &saved = context.saved();
            Tensor grad_x = context.memory_of_grad();
            dispatch_floating(grad, op, [&]<class T>(auto place) {
              kernels::unary_backward<T>(place, function, grad.numel(), grad.data<T>(), saved.data<T>(),
                                         grad_x.mutable_data<T>());
            });
            return {grad_x};
          }});
  return result;
}

}  // namespace deft::detail
