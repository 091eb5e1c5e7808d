// Contract of the two-dimensional convolution kernels.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/contract.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels {

/// Sizes and options of a convolution over channels-last images.
///
/// input  [n, h, w, c]
/// weight [o, kernel_h, kernel_w, c / groups]
/// bias   [o]
/// output [n, h_out(), w_out(), o]
///
/// Output channel `j` reads the input channels of group `j / (o / groups)`. Any size may be zero but the kernel's,
/// strides, dilations and groups, which are at least 1; paddings are at least 0.
struct Conv2dShape {
  std::int64_t n = 0, h = 0, w = 0, c = 0;
  std::int64_t o = 0, kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  std::int64_t dilation_h = 1, dilation_w = 1;
  std::int64_t groups = 1;

  DEFT_ALWAYS_INLINE std::int64_t h_out() const {
    return (h + pad_top + pad_bottom - dilation_h * (kernel_h - 1) - 1) / stride_h + 1;
  }
  DEFT_ALWAYS_INLINE std::int64_t w_out() const {
    return (w + pad_left + pad_right - dilation_w * (kernel_w - 1) - 1) / stride_w + 1;
  }
  DEFT_ALWAYS_INLINE std::int64_t taps() const { return kernel_h * kernel_w; }
};

/// output = input ⋆ weight + bias (cross-correlation, zeros outside the image); `bias` may be null. Overwrites
/// `output`. On the CPU, conv2d_algorithm() says how this and the gradients are computed (conv_algorithm.h).
DEFT_CONTRACT((class T), void, conv2d_forward, const Conv2dShape& shape, const T* input, const T* weight, const T* bias,
              T* output);

/// Gradient with respect to the input, from grad_output [n, h_out, w_out, o]. Overwrites `grad_input`.
DEFT_CONTRACT((class T), void, conv2d_backward_input, const Conv2dShape& shape, const T* grad_output, const T* weight,
              T* grad_input);

/// Gradients with respect to the weight and, unless `grad_bias` is null, the bias. Overwrites both.
DEFT_CONTRACT((class T), void, conv2d_backward_weight, const Conv2dShape& shape, const T* input, const T* grad_output,
              T* grad_weight, T* grad_bias);

}  // namespace deft::kernels
