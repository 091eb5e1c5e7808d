#include "deft/layers/activation.h"

#include "deft/core/autograd.h"
#include "deft/core/detail/unary.h"

namespace deft {

using detail::unary;
using kernels::UnaryOp;

Tensor relu(Tensor x) { return unary("relu", UnaryOp::relu, x, reuse_or_empty(x)); }

Tensor leaky_relu(const Tensor& x, const LeakyReLUOptions& options) {
  return unary("leaky_relu", {UnaryOp::leaky_relu, options.negative_slope}, x, empty_like(x),
               {{"negative_slope", options.negative_slope}});
}

Tensor elu(const Tensor& x, const ELUOptions& options) {
  return unary("elu", {UnaryOp::elu, options.alpha}, x, empty_like(x), {{"alpha", options.alpha}});
}

Tensor sigmoid(Tensor x) { return unary("sigmoid", UnaryOp::sigmoid, x, reuse_or_empty(x)); }

Tensor tanh(Tensor x) { return unary("tanh", UnaryOp::tanh, x, reuse_or_empty(x)); }

Tensor gelu(const Tensor& x, const GELUOptions& options) {
  return unary("gelu", options.tanh_approximation ? UnaryOp::gelu_tanh : UnaryOp::gelu, x, empty_like(x),
               {{"tanh_approximation", options.tanh_approximation}});
}

}  // namespace deft
