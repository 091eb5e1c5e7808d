// Gradient clipping, between backward() and step(); it changes the gradients in place.
#pragma once

#include <vector>

#include "deft/core/tensor.h"

namespace deft {

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), where `norm` is the Euclidean norm of all of them taken
/// together, and returns `norm`. Parameters without a gradient are passed over. Throws Error unless max_norm is at
/// least 0.
double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm);

/// Limits each element of each gradient to [−clip_value, clip_value]. Throws Error unless clip_value is at least 0.
void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value);

}  // namespace deft
