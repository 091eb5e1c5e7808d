#include "deft/layers/activation.h"

#include "deft/core/autograd.h"
#include "deft/core/dispatch.h"
#include "deft/kernels/activation.h"

namespace deft {
namespace {

/// Which tensor the backward kernel reads.
enum class Saves { input, output };

/// Records `op` with forward(device, n, x, y) and backward(device, n, grad_y, saved, grad_x), kernels for any T.
template <class Forward, class BackwardKernel>
Tensor activation(const char* op, const Tensor& x, Attributes attributes, Saves saves, const Forward& forward,
                  const BackwardKernel& backward) {
  Tensor y = saves == Saves::output ? reuse_or_empty(x) : empty_like(x);
  dispatch_floating(x, op, [&]<class T>(auto device) { forward(device, x.numel(), x.data<T>(), y.mutable_data<T>()); });
  record(op, {x}, std::move(attributes), {y},
         {.saved = {saves == Saves::input ? x : y},
          .apply = [op, backward](const BackwardContext& context) -> std::vector<Tensor> {
            const Tensor &grad = context.grad(), &saved = context.saved();
            Tensor grad_x = context.memory_of_grad();
            dispatch_floating(grad, op, [&]<class T>(auto device) {
              backward(device, grad.numel(), grad.data<T>(), saved.data<T>(), grad_x.mutable_data<T>());
            });
            return {grad_x};
          }});
  return y;
}

}  // namespace

Tensor relu(Tensor x) {
  return activation(
      "relu", x, {}, Saves::output, [](auto... arguments) { kernels::relu_forward(arguments...); },
      [](auto... arguments) { kernels::relu_backward(arguments...); });
}

Tensor leaky_relu(const Tensor& x, const LeakyReLUOptions& options) {
  const double slope = options.negative_slope;
  return activation(
      "leaky_relu", x, {{"negative_slope", slope}}, Saves::input,
      [slope](auto device, std::int64_t n, const auto* input, auto* output) {
        using T = std::remove_pointer_t<decltype(output)>;
        kernels::leaky_relu_forward<T>(device, n, static_cast<T>(slope), input, output);
      },
      [slope](auto device, std::int64_t n, const auto* grad, const auto* input, auto* grad_input) {
        using T = std::remove_pointer_t<decltype(grad_input)>;
        kernels::leaky_relu_backward<T>(device, n, static_cast<T>(slope), grad, input, grad_input);
      });
}

Tensor sigmoid(Tensor x) {
  return activation(
      "sigmoid", x, {}, Saves::output, [](auto... arguments) { kernels::sigmoid_forward(arguments...); },
      [](auto... arguments) { kernels::sigmoid_backward(arguments...); });
}

Tensor tanh(Tensor x) {
  return activation(
      "tanh", x, {}, Saves::output, [](auto... arguments) { kernels::tanh_forward(arguments...); },
      [](auto... arguments) { kernels::tanh_backward(arguments...); });
}

Tensor gelu(const Tensor& x, const GELUOptions& options) {
  const auto form = options.tanh_approximation ? kernels::GeluForm::tanh : kernels::GeluForm::exact;
  return activation(
      "gelu", x, {{"tanh_approximation", options.tanh_approximation}}, Saves::input,
      [form](auto device, auto... arguments) { kernels::gelu_forward(device, form, arguments...); },
      [form](auto device, auto... arguments) { kernels::gelu_backward(device, form, arguments...); });
}

}  // namespace deft
