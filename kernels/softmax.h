// Contract of softmax, log-softmax and the cross entropy fused with it (float32, float64). Outputs are overwritten.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/contract.h"

namespace deft::kernels {

/// A tensor [outer, n, inner], normalised over its middle axis.
struct SoftmaxShape {
  std::int64_t outer = 0, n = 0, inner = 1;
};

/// output = exp(input) / Σ exp(input).
DEFT_CONTRACT((class T), void, softmax_forward, const SoftmaxShape& shape, const T* input, T* output);

/// grad_input = output · (grad_output − Σ grad_output · output).
DEFT_CONTRACT((class T), void, softmax_backward, const SoftmaxShape& shape, const T* grad_output, const T* output,
              T* grad_input);

/// output = input − log Σ exp(input).
DEFT_CONTRACT((class T), void, log_softmax_forward, const SoftmaxShape& shape, const T* input, T* output);

/// grad_input = grad_output − exp(output) · Σ grad_output.
DEFT_CONTRACT((class T), void, log_softmax_backward, const SoftmaxShape& shape, const T* grad_output, const T* output,
              T* grad_input);

/// Cross entropy between softmax(logits) and the target class, which label smoothing (Szegedy et al. 2016,
/// arXiv:1512.00567) mixes with the uniform distribution.
struct CrossEntropyShape {
  std::int64_t n = 0, classes = 0;  ///< classes at least 1
  double label_smoothing = 0;
  std::int64_t ignore_index = -100;  ///< rows with this target have loss and gradient 0
};

/// loss[i] = (1 − label_smoothing) · weight[target[i]] · −log p[i, target[i]]
///           + label_smoothing / classes · Σ_c weight[c] · −log p[i, c],
/// log_sum_exp[i] for the backward kernel, and target_weight[i] = weight[target[i]], or 0 where the target is ignored;
/// logits [n, classes], target [n] in [0, classes) or ignore_index, weight [classes] or null, all ones, loss [n],
/// log_sum_exp [n], target_weight [n] or null, not wanted. The CPU trusts the target. A GPU gives NaN for a class that
/// does not exist, and the host an Error when it next waits for the GPU.
DEFT_CONTRACT((class T), void, cross_entropy_forward, const CrossEntropyShape& shape, const T* logits,
              const std::int64_t* target, const T* weight, T* loss, T* log_sum_exp, T* target_weight);

/// grad_logits [n, classes] from grad_loss [n].
DEFT_CONTRACT((class T), void, cross_entropy_backward, const CrossEntropyShape& shape, const T* grad_loss,
              const T* logits, const std::int64_t* target, const T* weight, const T* log_sum_exp, T* grad_logits);

}  // namespace deft::kernels
