#include "deft/layers/activation.h"

#include <fmt/format.h>

#include "deft/core/autograd.h"
#include "deft/core/checks.h"
#include "deft/core/detail/unary.h"
#include "deft/core/elementwise.h"

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

Tensor silu(const Tensor& x) {
  require_floating("silu", {"x", x});
  return x * sigmoid(x);
}

Tensor softplus(const Tensor& x, const SoftplusOptions& options) {
  require_floating("softplus", {"x", x});
  if (!(options.beta > 0)) throw Error(fmt::format("softplus: beta is {}, expected above 0", options.beta));
  const Tensor scaled = x * options.beta, zero = zeros({}, {.dtype = x.dtype(), .device = x.device()});
  const Tensor curve = (maximum(scaled, zero) + log1p(exp(-abs(scaled)))) / options.beta;
  return where(gt(scaled, options.threshold), x, curve);
}

Tensor hardswish(const Tensor& x) {
  require_floating("hardswish", {"x", x});
  return x * (clamp(x + 3, 0, 6) / 6);
}

}  // namespace deft
