// Contract of the fused optimizer steps, with PyTorch's update rules, and of what clips gradients before them. Each
// call takes the arrays of any number of parameters and handles them all in one pass.
#pragma once

#include <cstdint>
#include <vector>

#include "deft/kernels/runtime/contract.h"

namespace deft::kernels {

/// Options of sgd_step.
struct SgdStep {
  double lr = 0;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

/// A parameter as sgd_step sees it, n elements per array.
template <class T>
struct SgdArrays {
  std::int64_t n = 0;
  const T* grad = nullptr;
  T* buffer = nullptr;  ///< may be null with momentum 0
  T* param = nullptr;
  bool first = false;  ///< the buffer is set to the gradient, undamped, instead of updated
};

/// Stochastic gradient descent:
///   g = grad + weight_decay · param
///   buffer = momentum · buffer + (1 − dampening) · g
///   param −= lr · (nesterov ? g + momentum · buffer : buffer)
/// With momentum 0 g stands for the buffer. Changes `param` and `buffer`, never `grad`.
DEFT_CONTRACT((class T), void, sgd_step, const SgdStep& step, const std::vector<SgdArrays<T>>& parameters);

/// Options of adam_step.
struct AdamStep {
  double lr = 0;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled = false;  ///< weight decay as in AdamW (Loshchilov & Hutter 2017, arXiv:1711.05101)
};

/// A parameter as adam_step sees it, n elements per array.
template <class T>
struct AdamArrays {
  std::int64_t n = 0;
  const T* grad = nullptr;
  T *m = nullptr, *v = nullptr;
  T* param = nullptr;
  std::int64_t step = 1;  ///< number of this parameter's step, from 1
};

/// Adam (Kingma & Ba 2014, arXiv:1412.6980):
///   decoupled: param *= 1 − lr · weight_decay; g = grad;  otherwise: g = grad + weight_decay · param
///   m = beta1 · m + (1 − beta1) · g
///   v = beta2 · v + (1 − beta2) · g²
///   param −= lr / (1 − beta1^step) · m / (√v / √(1 − beta2^step) + eps)
/// Changes `param`, `m` and `v`, never `grad`.
DEFT_CONTRACT((class T), void, adam_step, const AdamStep& step, const std::vector<AdamArrays<T>>& parameters);

/// A gradient of n elements; T is const where they are only read.
template <class T>
struct GradientArray {
  std::int64_t n = 0;
  T* grad = nullptr;
};

/// The sum of the squares of all elements, taken in double.
DEFT_CONTRACT((class T), double, squared_norm, const std::vector<GradientArray<const T>>& gradients);

/// grad *= factor.
DEFT_CONTRACT((class T), void, scale, T factor, const std::vector<GradientArray<T>>& gradients);

}  // namespace deft::kernels
