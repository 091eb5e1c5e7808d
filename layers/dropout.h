// Dropout (Srivastava et al. 2014), as PyTorch's dropout.
#pragma once

#include "deft/core/generator.h"
#include "deft/layers/module.h"

namespace deft {

struct DropoutOptions {
  double p = 0.5;  ///< probability of a zero, in [0, 1]
};

/// Zeroes each element with probability p and multiplies the others by 1 / (1 − p). Draws from `generator`. Throws
/// Error for p outside [0, 1].
Tensor dropout(const Tensor& input, const DropoutOptions& options = {}, Generator& generator = default_generator());

/// dropout in training, nothing in evaluation. Draws from the default generator.
class Dropout : public Module {
 public:
  /// Throws Error for p outside [0, 1].
  explicit Dropout(const DropoutOptions& options = {});

  Tensor forward(const Tensor& input) override;
  const DropoutOptions& options() const { return options_; }

 private:
  DropoutOptions options_;
};

}  // namespace deft
