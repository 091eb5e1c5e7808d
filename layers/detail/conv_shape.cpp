#include "deft/layers/detail/conv_shape.h"

#include <fmt/format.h>

#include "deft/core/checks.h"
#include "deft/kernels/runtime/error.h"

namespace deft::detail {
namespace {

void require_options(const char* op, const ConvOptions& options) {
  require_range(op, "stride", options.stride);
  require_range(op, "dilation", options.dilation);
  require_range(op, "padding", options.padding);
}

void require_groups(const char* op, std::int64_t groups, std::int64_t in_channels, std::int64_t out_channels) {
  if (groups < 1 || in_channels % groups != 0 || out_channels % groups != 0) {
    throw Error(fmt::format("{}: groups is {}, expected a divisor of the {} input and the {} output channels", op,
                            groups, in_channels, out_channels));
  }
}

}  // namespace

kernels::Conv2dShape conv_shape(const char* op, const Tensor& input, const Tensor& weight, const Tensor& bias,
                                const ConvOptions& options) {
  require_dim(op, {"input", input}, 4, "[N, H, W, C]");
  require_dim(op, {"weight", weight}, 4, "[O, kernel_h, kernel_w, C / groups]");
  require_options(op, options);
  const auto& [stride, padding, dilation, groups] = options;
  const kernels::Conv2dShape s{input.size(0),  input.size(1),  input.size(2),  input.size(3),
                               weight.size(0), weight.size(1), weight.size(2), stride.h,
                               stride.w,       padding.top,    padding.bottom, padding.left,
                               padding.right,  dilation.h,     dilation.w,     groups};
  require_range(op, "the kernel of weight", Size2(s.kernel_h, s.kernel_w));
  require_groups(op, groups, s.c, s.o);
  if (weight.size(3) != s.c / groups) {
    throw Error(fmt::format("{}: weight is {}, expected [{}, {}, {}, {}] ({} input channels / groups {})", op,
                            to_string(weight.shape()), s.o, s.kernel_h, s.kernel_w, s.c / groups, s.c, groups));
  }
  if (bias.defined() && bias.shape() != Shape{s.o}) {
    throw Error(fmt::format("{}: bias is {}, expected [{}] (output channels of weight {})", op, to_string(bias.shape()),
                            s.o, to_string(weight.shape())));
  }
  const Size2 padded(s.h + s.pad_top + s.pad_bottom, s.w + s.pad_left + s.pad_right);
  const Size2 extent(s.dilation_h * (s.kernel_h - 1) + 1, s.dilation_w * (s.kernel_w - 1) + 1);
  if (extent.h > padded.h || extent.w > padded.w) {
    throw Error(fmt::format("{}: the kernel covers {} (kernel {}, dilation {}), larger than the padded input {}", op,
                            to_string(extent), to_string(Size2(s.kernel_h, s.kernel_w)), to_string(dilation),
                            to_string(padded)));
  }
  return s;
}

Attributes conv_attributes(const kernels::Conv2dShape& s) {
  using Sizes = std::vector<std::int64_t>;
  return {{"stride", Sizes{s.stride_h, s.stride_w}},
          {"padding", Sizes{s.pad_top, s.pad_bottom, s.pad_left, s.pad_right}},
          {"dilation", Sizes{s.dilation_h, s.dilation_w}},
          {"groups", s.groups}};
}

TraceInfo conv_info(const kernels::Conv2dShape& s) {
  return {.multiply_adds = s.n * s.h_out() * s.w_out() * s.o * s.kernel_h * s.kernel_w * (s.c / s.groups),
          .sampling = SamplingGeometry{.kernel_h = s.kernel_h,
                                       .kernel_w = s.kernel_w,
                                       .stride_h = s.stride_h,
                                       .stride_w = s.stride_w,
                                       .pad_top = s.pad_top,
                                       .pad_left = s.pad_left,
                                       .dilation_h = s.dilation_h,
                                       .dilation_w = s.dilation_w}};
}

void require_conv_module(const char* layer, std::int64_t in_channels, std::int64_t out_channels, Size2 kernel_size,
                         const ConvOptions& options) {
  if (in_channels < 1 || out_channels < 1) {
    throw Error(fmt::format("{}: in_channels is {}, out_channels is {}, expected at least 1", layer, in_channels,
                            out_channels));
  }
  require_range(layer, "kernel_size", kernel_size);
  require_options(layer, options);
  require_groups(layer, options.groups, in_channels, out_channels);
}

}  // namespace deft::detail
