// Average pooling to a given size, as PyTorch's adaptive_avg_pool2d, and over the whole image.
#pragma once

#include "deft/layers/module.h"
#include "deft/layers/options.h"

namespace deft {

/// Means of an input [N, H, W, C] over a grid of windows, per channel: [N, output_size.h, output_size.w, C]. Window i
/// covers rows ⌊i · H / output_h⌋ to ⌈(i + 1) · H / output_h⌉ − 1, columns likewise. Throws Error for an input of
/// another form and for sizes below 1.
Tensor adaptive_avg_pool2d(const Tensor& input, Size2 output_size);

/// The mean over all pixels, per channel: [N, H, W, C] to [N, C]. Throws Error for an input of another form.
Tensor global_avg_pool2d(const Tensor& input);

/// adaptive_avg_pool2d as a module.
class AdaptiveAvgPool2d : public Module {
 public:
  explicit AdaptiveAvgPool2d(Size2 output_size) : output_size_(output_size) {}

  Tensor forward(const Tensor& input) override { return adaptive_avg_pool2d(input, output_size_); }
  Size2 output_size() const { return output_size_; }

 private:
  Size2 output_size_;
};

/// global_avg_pool2d as a module.
class GlobalAvgPool2d : public Module {
 public:
  Tensor forward(const Tensor& input) override { return global_avg_pool2d(input); }
};

}  // namespace deft
