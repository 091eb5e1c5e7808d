// Losses.
#pragma once

#include <cstdint>

#include "deft/core/tensor.h"

namespace deft {

/// What becomes of the losses of the single elements.
enum class Reduction { mean, sum, none };

/// The options of torch.nn.functional.cross_entropy.
struct CrossEntropyOptions {
  Tensor weight = {};                ///< [classes], the weight of each class, or undefined: all ones
  std::int64_t ignore_index = -100;  ///< a target that does not count: its loss and gradient are 0
  double label_smoothing = 0;        ///< share of the target that is spread over all classes, in [0, 1]
  Reduction reduction = Reduction::mean;
};

/// Cross entropy of softmax(logits), logits [..., classes], with a target of one of two kinds:
/// - classes, int64 [...]: weight[target] · −log p[target]; the mean is the sum over Σ weight[target] of the targets
///   that are not ignored, NaN where all of them are;
/// - probabilities of the classes, of the type and shape of logits: Σ_c weight[c] · target[c] · −log p[c], also
///   differentiable in the target, which need not sum to 1; the mean is the sum over the number of rows.
/// Gives a scalar, or [...] with Reduction::none. Label smoothing (Szegedy et al. 2016, arXiv:1512.00567) replaces the
/// target's probabilities by (1 − label_smoothing) · target + label_smoothing / classes; the divisor of the mean stays.
/// float32, float64. Throws Error for wrong shapes or types, for a class outside [0, classes) that is not ignore_index,
/// for an ignore_index of at least 0 with probabilities, and for a weight that requires grad.
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});

struct MSELossOptions {
  Reduction reduction = Reduction::mean;
};

/// (input − target)², reduced. Both of one shape. Throws Error otherwise.
Tensor mse_loss(const Tensor& input, const Tensor& target, const MSELossOptions& options = {});

}  // namespace deft
