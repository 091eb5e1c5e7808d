// Contract of the fused optimizer steps: one pass over a parameter's arrays, with PyTorch's update rules; and of the
// norm by which gradients are clipped before them.
#pragma once

#include <cstdint>

#include "deft/kernels/device.h"

namespace deft::kernels {

/// Options of sgd_step.
struct SgdStep {
  double lr = 0;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
  bool first = false;  ///< the buffer is set to the gradient, undamped, instead of updated
};

/// Stochastic gradient descent over n elements:
///   g = grad + weight_decay · param
///   buffer = momentum · buffer + (1 − dampening) · g
///   param −= lr · (nesterov ? g + momentum · buffer : buffer)
/// With momentum 0 `buffer` may be null and g stands for it. Changes `param` and `buffer`, never `grad`.
template <class T>
void sgd_step(Cpu, std::int64_t n, const SgdStep& step, const T* grad, T* buffer, T* param);
template <class T>
void sgd_step(Cuda, std::int64_t n, const SgdStep& step, const T* grad, T* buffer, T* param);

/// Options of adam_step.
struct AdamStep {
  double lr = 0;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled = false;  ///< weight decay as in AdamW (Loshchilov & Hutter 2017, arXiv:1711.05101)
  std::int64_t step = 1;   ///< number of this step, from 1
};

/// Adam (Kingma & Ba 2014, arXiv:1412.6980) over n elements:
///   decoupled: param *= 1 − lr · weight_decay; g = grad;  otherwise: g = grad + weight_decay · param
///   m = beta1 · m + (1 − beta1) · g
///   v = beta2 · v + (1 − beta2) · g²
///   param −= lr / (1 − beta1^step) · m / (√v / √(1 − beta2^step) + eps)
/// Changes `param`, `m` and `v`, never `grad`.
template <class T>
void adam_step(Cpu, std::int64_t n, const AdamStep& step, const T* grad, T* m, T* v, T* param);
template <class T>
void adam_step(Cuda, std::int64_t n, const AdamStep& step, const T* grad, T* m, T* v, T* param);

/// The sum of the squares of n elements, taken in double.
template <class T>
double squared_norm(Cpu, std::int64_t n, const T* values);
template <class T>
double squared_norm(Cuda, std::int64_t n, const T* values);

}  // namespace deft::kernels
