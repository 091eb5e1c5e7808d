// Softmax and its logarithm.
#pragma once

#include "deft/layers/module.h"

namespace deft {

/// exp(x) / Σ exp(x), summed over `axis` (negative ones count from the end). float32, float64.
Tensor softmax(const Tensor& x, int axis = -1);

/// log(softmax(x)), computed without overflow.
Tensor log_softmax(const Tensor& x, int axis = -1);

struct SoftmaxOptions {
  int axis = -1;
};

class Softmax : public Module {
 public:
  explicit Softmax(const SoftmaxOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& input) override { return softmax(input, options_.axis); }
  const SoftmaxOptions& options() const { return options_; }

 private:
  SoftmaxOptions options_;
};

}  // namespace deft
