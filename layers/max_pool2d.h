// Max pooling, as PyTorch's max_pool2d.
#pragma once

#include "deft/layers/module.h"
#include "deft/layers/options.h"

namespace deft {

struct MaxPool2dOptions {
  Size2 kernel_size = 2;
  Size2 stride = {};       ///< 0 (the default) stands for kernel_size
  Padding2 padding = 0;    ///< never wins; at most half of kernel_size
  bool ceil_mode = false;  ///< also windows that hang over the bottom or right border
};

/// The largest value of each window of an input [N, H, W, C], per channel: [N, H_out, W_out, C] with
/// H_out = ⌊(H + top + bottom − kernel_h) / stride_h⌋ + 1 (⌈…⌉ with ceil_mode, but no window starts beyond the input
/// and its padding above). NaN wins over everything; of equal values the first gets the gradient. Throws Error for an
/// input of another form and for a window that does not fit.
Tensor max_pool2d(const Tensor& input, const MaxPool2dOptions& options = {});

/// max_pool2d as a module.
class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(const MaxPool2dOptions& options = {}) : options_(options) {}

  Tensor forward(const Tensor& input) override { return max_pool2d(input, options_); }
  const MaxPool2dOptions& options() const { return options_; }

 private:
  MaxPool2dOptions options_;
};

}  // namespace deft
