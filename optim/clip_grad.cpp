#include "deft/optim/clip_grad.h"

#include <fmt/format.h>

#include <cmath>

#include "deft/kernels/dispatch.h"
#include "deft/kernels/dtype.h"
#include "deft/kernels/elementwise.h"
#include "deft/kernels/optimizer_step.h"

namespace deft {
namespace {

// Calls visit(device, TypeTag<T>, gradient) for every parameter that has a gradient.
template <class Visit>
void for_gradients(const char* op, const std::vector<Tensor>& parameters, const Visit& visit) {
  for (const Tensor& parameter : parameters) {
    Tensor grad = parameter.grad();
    if (!grad.defined()) continue;
    on_device(grad.device(),
              [&](auto device) { visit_floating(grad.dtype(), op, [&](auto type) { visit(device, type, grad); }); });
  }
}

}  // namespace

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm) {
  if (!(max_norm >= 0)) throw Error(fmt::format("clip_grad_norm_: max_norm is {}, expected at least 0", max_norm));
  double squares = 0;
  for_gradients("clip_grad_norm_", parameters, [&](auto device, auto type, Tensor& grad) {
    using T = typename decltype(type)::type;
    squares += kernels::squared_norm<T>(device, grad.numel(), grad.template data<T>());
  });
  const double norm = std::sqrt(squares);
  const double factor = max_norm / (norm + 1e-6);
  if (factor >= 1) return norm;
  for_gradients("clip_grad_norm_", parameters, [&](auto device, auto type, Tensor& grad) {
    using T = typename decltype(type)::type;
    kernels::scale<T>(device, grad.numel(), static_cast<T>(factor), grad.template mutable_data<T>());
  });
  return norm;
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value) {
  if (!(clip_value >= 0)) {
    throw Error(fmt::format("clip_grad_value_: clip_value is {}, expected at least 0", clip_value));
  }
  for_gradients("clip_grad_value_", parameters, [&](auto device, auto type, Tensor& grad) {
    using T = typename decltype(type)::type;
    const T limit = static_cast<T>(clip_value);
    T* data = grad.template mutable_data<T>();
    kernels::clamp_forward<T>(device, grad.numel(), -limit, limit, data, data);
  });
}

}  // namespace deft
