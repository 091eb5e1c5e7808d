#include "deft/layers/conv2d.h"

#include "deft/core/autograd.h"
#include "deft/core/checks.h"
#include "deft/core/detail/optional_data.h"
#include "deft/core/dispatch.h"
#include "deft/kernels/conv2d.h"
#include "deft/layers/detail/conv_shape.h"
#include "deft/layers/init.h"

namespace deft {
namespace {

// Gradients with respect to input, weight and bias.
std::vector<Tensor> gradients(const BackwardContext& context, const kernels::Conv2dShape& shape) {
  const Tensor &grad_output = context.grad(), &input = context.saved(0), &weight = context.saved(1);
  Tensor grad_input, grad_weight, grad_bias;
  if (context.needs(0)) grad_input = empty_like(input);
  if (context.needs(1) || context.needs(2)) grad_weight = empty_like(weight);
  if (context.needs(2)) grad_bias = empty({shape.o}, {weight.dtype(), weight.device()});
  dispatch_floating(input, "conv2d", [&]<class T>(auto place) {
    if (grad_input.defined()) {
      kernels::conv2d_backward_input<T>(place, shape, grad_output.data<T>(), weight.data<T>(),
                                        grad_input.mutable_data<T>());
    }
    if (grad_weight.defined()) {
      kernels::conv2d_backward_weight<T>(place, shape, input.data<T>(), grad_output.data<T>(),
                                         grad_weight.mutable_data<T>(), mutable_data_or_null<T>(grad_bias));
    }
  });
  return {grad_input, grad_weight, grad_bias};
}

}  // namespace

Tensor conv2d(const Tensor& input, const Tensor& weight, const Conv2dFunctionOptions& options) {
  require_same_kind("conv2d", {{"input", input}, {"weight", weight}, {"bias", options.bias}});
  const kernels::Conv2dShape shape = detail::conv_shape(
      "conv2d", input, weight, options.bias, {options.stride, options.padding, options.dilation, options.groups});
  Tensor output = empty({shape.n, shape.h_out(), shape.w_out(), shape.o}, {input.dtype(), input.device()});
  dispatch_floating(input, "conv2d", [&]<class T>(auto place) {
    kernels::conv2d_forward<T>(place, shape, input.data<T>(), weight.data<T>(), data_or_null<T>(options.bias),
                               output.mutable_data<T>());
  });
  record("conv2d", {input, weight, options.bias}, detail::conv_attributes(shape), {output},
         {.saved = {input, weight},
          .apply = [shape](const BackwardContext& context) { return gradients(context, shape); }},
         detail::conv_info(shape));
  return output;
}

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, const Conv2dOptions& options) : options_(options) {
  detail::require_conv_module("Conv2d", in_channels, out_channels, options.kernel_size,
                              {options.stride, options.padding, options.dilation, options.groups});
  weight = add_parameter(
      "weight", empty({out_channels, options.kernel_size.h, options.kernel_size.w, in_channels / options.groups}));
  bias = add_parameter("bias", options.bias ? empty({out_channels}) : Tensor());
  init::default_weight_and_bias_(weight, options.bias ? bias.get() : Tensor());
}

Tensor Conv2d::forward(const Tensor& input) {
  return conv2d(input, weight,
                {.bias = bias,
                 .stride = options_.stride,
                 .padding = options_.padding,
                 .dilation = options_.dilation,
                 .groups = options_.groups});
}

}  // namespace deft
