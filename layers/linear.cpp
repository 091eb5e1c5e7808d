#include "deft/layers/linear.h"

#include <fmt/format.h>

#include "deft/core/autograd.h"
#include "deft/core/checks.h"
#include "deft/core/dispatch.h"
#include "deft/core/matmul.h"
#include "deft/core/reduce.h"
#include "deft/kernels/matmul.h"
#include "deft/layers/init.h"

namespace deft {
namespace {

void check(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  require_same_kind("linear", {{"x", x}, {"weight", weight}, {"bias", bias}});
  require_dim("linear", {"weight", weight}, 2, "[out, in]");
  if (x.dim() == 0 || x.size(-1) != weight.size(1)) {
    throw Error(fmt::format("linear: x is {}, expected [..., {}] (in of weight {})", to_string(x.shape()),
                            weight.size(1), to_string(weight.shape())));
  }
  if (bias.defined() && !(bias.shape() == Shape{weight.size(0)})) {
    throw Error(fmt::format("linear: bias is {}, expected [{}] (out of weight {})", to_string(bias.shape()),
                            weight.size(0), to_string(weight.shape())));
  }
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check(x, weight, bias);
  const std::int64_t in = weight.size(1), out = weight.size(0);
  Shape shape = x.shape();
  shape.set(x.dim() - 1, out);
  std::int64_t rows = 1;
  for (int axis = 0; axis + 1 < x.dim(); ++axis) rows *= x.shape()[axis];
  Tensor y = empty(shape, {.dtype = x.dtype(), .device = x.device()});
  const kernels::MatmulShape product{.m = rows, .n = out, .k = in, .transpose_b = true, .batch = {}};
  dispatch_floating(x, "linear", [&]<class T>(auto place) {
    kernels::matmul<T>(place, product, x.data<T>(), weight.data<T>(), bias.defined() ? bias.data<T>() : nullptr,
                       y.mutable_data<T>());
  });
  record("linear", {x, weight, bias}, {}, {y},
         {.saved = {x, weight},
          .apply = [rows, in, out](const BackwardContext& context) -> std::vector<Tensor> {
            const Tensor &saved_x = context.saved(0), &saved_weight = context.saved(1);
            const Tensor grad = alias(context.grad(), {rows, out});
            Tensor grad_x, grad_weight, grad_bias;
            if (context.needs(0)) grad_x = alias(matmul(grad, saved_weight), saved_x.shape());
            if (context.needs(1)) grad_weight = matmul(grad, alias(saved_x, {rows, in}), {.transpose_a = true});
            if (context.needs(2)) grad_bias = sum(grad, {0});
            return {grad_x, grad_weight, grad_bias};
          }},
         {.multiply_adds = rows * in * out});
  return y;
}

Linear::Linear(std::int64_t in_features, std::int64_t out_features, const LinearOptions& options) {
  if (in_features < 1 || out_features < 1) {
    throw Error(
        fmt::format("Linear: in_features is {}, out_features is {}, expected at least 1", in_features, out_features));
  }
  weight = add_parameter("weight", empty({out_features, in_features}));
  bias = add_parameter("bias", options.bias ? empty({out_features}) : Tensor());
  init::default_weight_and_bias_(weight, options.bias ? bias.get() : Tensor());
}

}  // namespace deft
