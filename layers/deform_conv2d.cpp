#include "deft/layers/deform_conv2d.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "deft/core/autograd.h"
#include "deft/core/checks.h"
#include "deft/core/detail/optional_data.h"
#include "deft/core/dispatch.h"
#include "deft/core/elementwise.h"
#include "deft/core/shape_ops.h"
#include "deft/kernels/deform_conv2d.h"
#include "deft/kernels/deform_positions.h"
#include "deft/kernels/runtime/error.h"
#include "deft/layers/detail/conv_shape.h"
#include "deft/layers/init.h"

namespace deft {
namespace {

// `factor` is how many values there are per tap.
void require_taps(const char* name, const Tensor& tensor, const kernels::DeformConv2dShape& s, std::int64_t factor) {
  const Shape expected = {s.n, s.h_out(), s.w_out(), factor * s.offset_groups * s.taps()};
  if (tensor.shape() == expected) return;
  throw Error(fmt::format("deform_conv2d: {} is {}, expected {} ({}offset_groups {} · kernel {})", name,
                          to_string(tensor.shape()), to_string(expected), factor == 2 ? "2 · " : "", s.offset_groups,
                          to_string(Size2(s.kernel_h, s.kernel_w))));
}

kernels::DeformConv2dShape check(const Tensor& input, const Tensor& offset, const Tensor& weight,
                                 const DeformConv2dFunctionOptions& o) {
  require_same_kind("deform_conv2d",
                    {{"input", input}, {"offset", offset}, {"weight", weight}, {"mask", o.mask}, {"bias", o.bias}});
  const kernels::DeformConv2dShape shape{
      detail::conv_shape("deform_conv2d", input, weight, o.bias, {o.stride, o.padding, o.dilation, o.groups}),
      o.offset_groups};
  if (o.offset_groups < 1 || shape.c % o.offset_groups != 0) {
    throw Error(fmt::format("deform_conv2d: offset_groups is {}, expected a divisor of the {} input channels",
                            o.offset_groups, shape.c));
  }
  require_taps("offset", offset, shape, 2);
  if (o.mask.defined()) require_taps("mask", o.mask, shape, 1);
  return shape;
}

// Gradients with respect to input, offset, weight, mask and bias.
std::vector<Tensor> gradients(const BackwardContext& context, const kernels::DeformConv2dShape& shape) {
  const Tensor &grad_output = context.grad(), &input = context.saved(0), &offset = context.saved(1);
  const Tensor &weight = context.saved(2), &mask = context.saved(3);
  Tensor grad_input, grad_offset, grad_weight, grad_mask, grad_bias;
  if (context.needs(0)) grad_input = empty_like(input);
  if (context.needs(1)) grad_offset = empty_like(offset);
  if (context.needs(2)) grad_weight = empty_like(weight);
  if (context.needs(3)) grad_mask = empty_like(mask);
  if (context.needs(4)) grad_bias = empty({shape.o}, {weight.dtype(), weight.device()});
  dispatch_floating(input, "deform_conv2d", [&]<class T>(auto place) {
    kernels::deform_conv2d_backward<T>(
        place, shape, input.data<T>(), offset.data<T>(), data_or_null<T>(mask), weight.data<T>(), grad_output.data<T>(),
        {mutable_data_or_null<T>(grad_input), mutable_data_or_null<T>(grad_offset), mutable_data_or_null<T>(grad_mask),
         mutable_data_or_null<T>(grad_weight), mutable_data_or_null<T>(grad_bias)});
  });
  return {grad_input, grad_offset, grad_weight, grad_mask, grad_bias};
}

}  // namespace

Tensor deform_conv2d(const Tensor& input, const Tensor& offset, const Tensor& weight,
                     const DeformConv2dFunctionOptions& options) {
  const kernels::DeformConv2dShape shape = check(input, offset, weight, options);
  Tensor output = empty({shape.n, shape.h_out(), shape.w_out(), shape.o}, {input.dtype(), input.device()});
  dispatch_floating(input, "deform_conv2d", [&]<class T>(auto place) {
    kernels::deform_conv2d_forward<T>(place, shape, input.data<T>(), offset.data<T>(), data_or_null<T>(options.mask),
                                      weight.data<T>(), data_or_null<T>(options.bias), output.mutable_data<T>());
  });
  Attributes attributes = detail::conv_attributes(shape);
  attributes.push_back({"offset_groups", shape.offset_groups});
  TraceInfo info = detail::conv_info(shape);
  info.sampling->offset_input = 1;
  if (options.mask.defined()) info.sampling->mask_input = 3;
  record("deform_conv2d", {input, offset, weight, options.mask, options.bias}, attributes, {output},
         {.saved = {input, offset, weight, options.mask},
          .apply = [shape](const BackwardContext& context) { return gradients(context, shape); }},
         info);
  return output;
}

namespace {

void require_module(std::int64_t in_channels, std::int64_t out_channels, const DeformConv2dOptions& o) {
  detail::require_conv_module("DeformConv2d", in_channels, out_channels, o.kernel_size,
                              {o.stride, o.padding, o.dilation, o.groups});
  if (o.offset_groups < 1 || in_channels % o.offset_groups != 0) {
    throw Error(fmt::format("DeformConv2d: offset_groups is {}, expected a divisor of in_channels {}", o.offset_groups,
                            in_channels));
  }
  if (o.offset_clamp && o.offset_clamp_fraction) {
    throw Error(fmt::format("DeformConv2d: offset_clamp is {} and offset_clamp_fraction is {}, expected one of them",
                            *o.offset_clamp, *o.offset_clamp_fraction));
  }
  for (const auto& [name, value] :
       {std::pair("offset_clamp", o.offset_clamp), std::pair("offset_clamp_fraction", o.offset_clamp_fraction)}) {
    if (value && !(*value >= 0)) throw Error(fmt::format("DeformConv2d: {} is {}, expected at least 0", name, *value));
  }
}

/// The convolution that predicts `factor` values per tap.
Conv2d side_conv(std::int64_t in_channels, std::int64_t out_channels, std::int64_t factor,
                 const DeformConv2dOptions& o) {
  require_module(in_channels, out_channels, o);
  Conv2d conv(in_channels, Shape{factor, o.offset_groups, o.kernel_size.h, o.kernel_size.w}.numel(),
              {.kernel_size = o.kernel_size,
               .stride = o.stride,
               .padding = o.padding,
               .dilation = o.dilation,
               .bias = o.offset_bias});
  if (o.zero_offset_init) {
    for (const Tensor& parameter : conv.parameters()) init::constant_(parameter, 0);
  }
  return conv;
}

/// Offset and mask from what the convolutions of both predict: [N, H, W, 3 · taps] gives [N, H, W, 2 · taps], clamped
/// to ± limit, and mask_scale · sigmoid of the last `taps` channels.
std::pair<Tensor, Tensor> divide_prediction(const Tensor& prediction, double limit, double mask_scale) {
  const std::int64_t n = prediction.size(0), h = prediction.size(1), w = prediction.size(2);
  const kernels::DeformPositionsShape shape{n * h * w, prediction.size(3) / 3, limit, mask_scale};
  Tensor offset = empty({n, h, w, 2 * shape.taps}, {prediction.dtype(), prediction.device()});
  Tensor mask = empty({n, h, w, shape.taps}, {prediction.dtype(), prediction.device()});
  dispatch_floating(prediction, "deform_positions", [&]<class T>(auto place) {
    kernels::deform_positions_forward<T>(place, shape, prediction.data<T>(), offset.mutable_data<T>(),
                                         mask.mutable_data<T>());
  });
  record("deform_positions", {prediction}, {{"offset_limit", limit}, {"mask_scale", mask_scale}}, {offset, mask},
         {.saved = {prediction, mask}, .apply = [shape](const BackwardContext& context) -> std::vector<Tensor> {
            const Tensor &grad_offset = context.grad(0), &grad_mask = context.grad(1), &saved = context.saved(0);
            Tensor grad = empty_like(saved);
            dispatch_floating(saved, "deform_positions", [&]<class T>(auto place) {
              kernels::deform_positions_backward<T>(place, shape, grad_offset.data<T>(), grad_mask.data<T>(),
                                                    saved.data<T>(), context.saved(1).data<T>(),
                                                    grad.mutable_data<T>());
            });
            return {grad};
          }});
  return {offset, mask};
}

}  // namespace

DeformConv2d::DeformConv2d(std::int64_t in_channels, std::int64_t out_channels, const DeformConv2dOptions& options)
    : offset_conv(add("offset_conv", side_conv(in_channels, out_channels, 2, options))), options_(options) {
  if (options.modulated) mask_conv.emplace(add("mask_conv", side_conv(in_channels, out_channels, 1, options)));
  weight = add_parameter(
      "weight", empty({out_channels, options.kernel_size.h, options.kernel_size.w, in_channels / options.groups}));
  bias = add_parameter("bias", options.bias ? empty({out_channels}) : Tensor());
  init::default_weight_and_bias_(weight, options.bias ? bias.get() : Tensor());
}

DeformConv2d::Positions DeformConv2d::positions(const Tensor& input) {
  double limit = options_.offset_clamp.value_or(std::numeric_limits<double>::infinity());
  if (options_.offset_clamp_fraction && input.dim() == 4) {
    limit = *options_.offset_clamp_fraction * static_cast<double>(std::max(input.size(1), input.size(2)));
  }
  if (!mask_conv) {
    const Tensor offset = offset_conv(input);
    return {std::isinf(limit) ? offset : clamp(offset, -limit, limit), Tensor()};
  }
  const Tensor both_weights = cat({offset_conv.weight, mask_conv->weight});
  const Tensor both_biases = options_.offset_bias ? cat({offset_conv.bias, mask_conv->bias}) : Tensor();
  const Tensor prediction = conv2d(
      input, both_weights,
      {.bias = both_biases, .stride = options_.stride, .padding = options_.padding, .dilation = options_.dilation});
  const auto [offset, mask] = divide_prediction(prediction, limit, options_.mask_scale);
  return {offset, mask};
}

Tensor DeformConv2d::offset(const Tensor& input) { return positions(input).offset; }

Tensor DeformConv2d::forward(const Tensor& input) {
  const Positions at = positions(input);
  return deform_conv2d(input, at.offset, weight,
                       {.mask = at.mask,
                        .bias = bias,
                        .stride = options_.stride,
                        .padding = options_.padding,
                        .dilation = options_.dilation,
                        .groups = options_.groups,
                        .offset_groups = options_.offset_groups});
}

}  // namespace deft
