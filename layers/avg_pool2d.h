// Average pooling, as PyTorch's avg_pool2d.
#pragma once

#include "deft/layers/module.h"
#include "deft/layers/options.h"

namespace deft {

struct AvgPool2dOptions {
  Size2 kernel_size = 2;
  Size2 stride = {};              ///< 0 (the default) stands for kernel_size
  Padding2 padding = 0;           ///< zeros; at most half of kernel_size
  bool ceil_mode = false;         ///< also windows that hang over the bottom or right border
  bool count_include_pad = true;  ///< whether the padding counts in the mean
};

/// The mean of each window of an input [N, H, W, C], per channel: [N, H_out, W_out, C], sizes as in max_pool2d. Throws
/// Error for an input of another form and for a window that does not fit.
Tensor avg_pool2d(const Tensor& input, const AvgPool2dOptions& options = {});

/// avg_pool2d as a module.
class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(const AvgPool2dOptions& options = {}) : options_(options) {}

  Tensor forward(const Tensor& input) override { return avg_pool2d(input, options_); }
  const AvgPool2dOptions& options() const { return options_; }

 private:
  AvgPool2dOptions options_;
};

}  // namespace deft
