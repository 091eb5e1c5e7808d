// The fully connected layer.
#pragma once

#include "deft/layers/module.h"

namespace deft {

/// x·weightᵀ + bias over the last axis: x [..., in], weight [out, in], bias [out] or undefined; gives [..., out].
/// float32, float64. Throws Error for shapes that do not fit.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

struct LinearOptions {
  bool bias = true;
};

/// linear with its own weight [out_features, in_features] and bias [out_features], initialised as in PyTorch (uniform
/// in ±1/√in_features) from the default generator.
class Linear : public Module {
 public:
  /// Throws Error unless both sizes are at least 1.
  Linear(std::int64_t in_features, std::int64_t out_features, const LinearOptions& options = {});

  Tensor forward(const Tensor& input) override { return linear(input, weight, bias); }

  Parameter weight, bias;
};

}  // namespace deft
