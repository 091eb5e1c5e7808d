// Two-dimensional convolution, as PyTorch's conv2d.
#pragma once

#include <cstdint>

#include "deft/layers/module.h"
#include "deft/layers/options.h"

namespace deft {

/// What conv2d takes besides input and weight.
struct Conv2dFunctionOptions {
  Tensor bias = {};  ///< [O] or undefined
  Size2 stride = 1;
  Padding2 padding = 0;  ///< zeros around the input
  Size2 dilation = 1;    ///< distance of the kernel's taps
  std::int64_t groups = 1;
};

/// Cross-correlation of input [N, H, W, C] with weight [O, kernel_h, kernel_w, C / groups], plus bias:
/// [N, H_out, W_out, O] with H_out = ⌊(H + top + bottom − dilation_h · (kernel_h − 1) − 1) / stride_h⌋ + 1. Output
/// channel j reads the input channels of group ⌊j / (O / groups)⌋. float32, float64; differentiable in input, weight
/// and bias. Throws Error for shapes that do not fit and options out of range.
Tensor conv2d(const Tensor& input, const Tensor& weight, const Conv2dFunctionOptions& options = {});

struct Conv2dOptions {
  Size2 kernel_size = 3;
  Size2 stride = 1;
  Padding2 padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
};

/// conv2d with its own weight [out_channels, kernel_h, kernel_w, in_channels / groups] and bias [out_channels],
/// initialised as in PyTorch (uniform in ±1/√fan_in) from the default generator.
class Conv2d : public Module {
 public:
  /// Throws Error for channels below 1, groups that do not divide them, and options out of range.
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, const Conv2dOptions& options = {});

  Tensor forward(const Tensor& input) override;
  const Conv2dOptions& options() const { return options_; }

  Parameter weight, bias;

 private:
  Conv2dOptions options_;
};

}  // namespace deft
