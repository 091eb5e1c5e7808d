// Gradient clipping, between backward() and step(); it changes the gradients in place.
#pragma once

#include <vector>

#include "deft/core/tensor.h"

namespace deft {

/// The options of torch.nn.utils.clip_grad_norm_.
struct ClipGradNormOptions {
  double norm_type = 2;             ///< p of the p-norm, above 0; infinity: the largest absolute element
  bool error_if_nonfinite = false;  ///< throw Error, the gradients unchanged, where the norm is infinite or NaN
};

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), where `norm` is the p-norm of all of them taken together,
/// formed in float64 so that it is finite where its value is, and returns `norm`. Unless error_if_nonfinite is set, an
/// infinite norm makes finite elements 0 and infinite ones NaN, and a NaN makes all NaN, as in PyTorch. Parameters
/// without a gradient are passed over. Throws Error unless max_norm is at least 0 and norm_type above 0.
double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, const ClipGradNormOptions& options = {});

/// Limits each element of each gradient to [−clip_value, clip_value]. Throws Error unless clip_value is at least 0.
void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value);

}  // namespace deft
