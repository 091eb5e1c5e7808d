// Losses.
#pragma once

#include "deft/core/tensor.h"

namespace deft {

/// What becomes of the losses of the single elements.
enum class Reduction { mean, sum, none };

struct CrossEntropyOptions {
  double label_smoothing = 0;  ///< share of the target that is spread over all classes, in [0, 1]
  Reduction reduction = Reduction::mean;
};

/// Cross entropy of softmax(logits) with the target classes: logits [N, classes], target int64 [N]. Gives a scalar, or
/// [N] with Reduction::none. Label smoothing: Szegedy et al. 2016, arXiv:1512.00567. Throws Error for wrong shapes or
/// types and for a target outside [0, classes).
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});

struct MSELossOptions {
  Reduction reduction = Reduction::mean;
};

/// (input − target)², reduced. Both of one shape. Throws Error otherwise.
Tensor mse_loss(const Tensor& input, const Tensor& target, const MSELossOptions& options = {});

}  // namespace deft
