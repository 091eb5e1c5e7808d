// What conv2d and deform_conv2d check in common.
#pragma once

#include "deft/core/autograd.h"
#include "deft/core/tensor.h"
#include "deft/kernels/conv2d.h"
#include "deft/layers/options.h"

namespace deft::detail {

/// The options that a convolution's function takes besides its tensors.
struct ConvOptions {
  Size2 stride;
  Padding2 padding;
  Size2 dilation;
  std::int64_t groups;
};

/// Sizes of a convolution. Throws Error in the name of `op` for options out of range and for an input, weight or bias
/// (which may be undefined) that does not fit.
kernels::Conv2dShape conv_shape(const char* op, const Tensor& input, const Tensor& weight, const Tensor& bias,
                                const ConvOptions& options);

/// The same as attributes of the operation, for traces.
Attributes conv_attributes(const kernels::Conv2dShape& shape);

/// The products of a convolution, and where it reads its input.
TraceInfo conv_info(const kernels::Conv2dShape& shape);

/// Throws Error in the name of `layer` unless channels and groups fit each other and the options are in range.
void require_conv_module(const char* layer, std::int64_t in_channels, std::int64_t out_channels, Size2 kernel_size,
                         const ConvOptions& options);

}  // namespace deft::detail
