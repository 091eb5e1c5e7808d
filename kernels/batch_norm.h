// Contract of the batch normalisation kernels (Ioffe & Szegedy 2015, arXiv:1502.03167), with PyTorch's semantics.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/contract.h"

namespace deft::kernels {

/// A channels-last tensor [rows, channels]; every axis but the last counts as rows. Either may be zero.
struct BatchNormShape {
  std::int64_t rows = 0, channels = 0;
};

/// What may change over the forward pass of training. Null pointers are left out.
template <class T>
struct RunningStatistics {
  T* mean = nullptr;      ///< [channels]
  T* variance = nullptr;  ///< [channels], unbiased
  double momentum = 0.1;  ///< running = (1 − momentum) · running + momentum · batch
};

/// output = (input − mean) / √(variance + eps) · weight + bias, with mean and (biased) variance of each channel over
/// the rows; sums are kept in double. The differences between a channel's values must be finite in T; where T is float,
/// their squares need not be. `weight` and `bias` [channels] may be null (1 and 0). Updates the running
/// statistics, with the unbiased variance, for which rows is at least 2. Overwrites `output`, `mean` and `inv_std`
/// [channels].
DEFT_CONTRACT((class T), void, batch_norm_forward_training, const BatchNormShape& shape, const T* input,
              const T* weight, const T* bias, double eps, const RunningStatistics<T>& running, T* mean, T* inv_std,
              T* output);

/// The same with given statistics `mean` and `variance` [channels]. Overwrites `output` and `inv_std` [channels].
DEFT_CONTRACT((class T), void, batch_norm_forward_inference, const BatchNormShape& shape, const T* input,
              const T* weight, const T* bias, double eps, const T* mean, const T* variance, T* inv_std, T* output);

/// Where the gradients go. Null pointers are not computed; the others are overwritten.
template <class T>
struct BatchNormGradients {
  T* input = nullptr;   ///< [rows, channels]
  T* weight = nullptr;  ///< [channels]
  T* bias = nullptr;    ///< [channels]
};

/// Gradients of the forward kernel that wrote `inv_std`, from grad_output [rows, channels]. `training`: mean and
/// variance depend on the input (batch_norm_forward_training), else they are constants (batch_norm_forward_inference).
DEFT_CONTRACT((class T), void, batch_norm_backward, const BatchNormShape& shape, bool training, const T* grad_output,
              const T* input, const T* mean, const T* inv_std, const T* weight, const BatchNormGradients<T>& gradients);

}  // namespace deft::kernels
