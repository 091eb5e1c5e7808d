// Batch normalisation (Ioffe & Szegedy 2015, arXiv:1502.03167), as PyTorch's batch_norm.
#pragma once

#include <cstdint>

#include "deft/layers/module.h"

namespace deft {

/// What batch_norm takes besides its input; every tensor is [C] or undefined.
struct BatchNormArguments {
  Tensor running_mean = {}, running_var = {};  ///< updated in training, used otherwise
  Tensor weight = {}, bias = {};               ///< undefined: 1 and 0
  bool training = false;
  double momentum = 0.1;  ///< running = (1 − momentum) · running + momentum · batch, with the unbiased variance
  double eps = 1e-5;
};

/// (input − mean) / √(var + eps) · weight + bias for an input [..., C], with mean and biased variance of the batch in
/// training, else the running ones. Differentiable in input, weight and bias. Throws Error for shapes and types that do
/// not fit, for missing running statistics outside training, and for a single value per channel in training.
Tensor batch_norm(const Tensor& input, const BatchNormArguments& arguments = {});

struct BatchNorm2dOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  bool affine = true;               ///< weight (initially 1) and bias (initially 0)
  bool track_running_stats = true;  ///< without, evaluation takes the batch's statistics too
};

/// batch_norm over images [N, H, W, channels]. Parameters "weight" and "bias", buffers "running_mean" and
/// "running_var". In evaluation and while frozen it uses the running statistics and leaves them as they are.
class BatchNorm2d : public Module {
 public:
  /// Throws Error unless channels is at least 1.
  explicit BatchNorm2d(std::int64_t channels, const BatchNorm2dOptions& options = {});

  Tensor forward(const Tensor& input) override;
  const BatchNorm2dOptions& options() const { return options_; }

  Parameter weight, bias, running_mean, running_var;

 private:
  BatchNorm2dOptions options_;
};

}  // namespace deft
