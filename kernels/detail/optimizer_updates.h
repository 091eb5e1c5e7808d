// The updates of one element by the optimizers, and their factors, for the kernels of both devices. Before this header
// comes the math.h of the place, kernels/cpu's or kernels/cuda's.
#pragma once

#include <cmath>
#include <cstdint>

#include "deft/kernels/optimizer_step.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels::DEFT_PLACE {

/// The correction of the bias of Adam's moments, by the number of the parameter's step.
template <class T>
struct AdamCorrection {
  T step_size = 0, root = 0;

  AdamCorrection() = default;
  DEFT_ALWAYS_INLINE AdamCorrection(const AdamStep& step, std::int64_t number)
      : step_size(static_cast<T>(step.lr / (1 - std::pow(step.beta1, static_cast<double>(number))))),
        root(static_cast<T>(std::sqrt(1 - std::pow(step.beta2, static_cast<double>(number))))) {}
};

/// The update that adam_step documents.
template <class T>
struct AdamUpdate {
  T beta1, take1, beta2, take2, eps, shrink, decay;

  DEFT_ALWAYS_INLINE explicit AdamUpdate(const AdamStep& step)
      : beta1(static_cast<T>(step.beta1)),
        take1(static_cast<T>(1 - step.beta1)),
        beta2(static_cast<T>(step.beta2)),
        take2(static_cast<T>(1 - step.beta2)),
        eps(static_cast<T>(step.eps)),
        shrink(step.decoupled ? static_cast<T>(1 - step.lr * step.weight_decay) : T(1)),
        decay(step.decoupled ? T(0) : static_cast<T>(step.weight_decay)) {}

  DEFT_HOST_DEVICE void operator()(const AdamCorrection<T>& correction, T grad, T& m, T& v, T& param) const {
    const T p = param * shrink;
    const T g = grad + decay * p;
    m = beta1 * m + take1 * g;
    v = beta2 * v + take2 * g * g;
    param = p - correction.step_size * m / (math::sqrt(v) / correction.root + eps);
  }
};

/// The update that sgd_step documents.
template <class T>
struct SgdUpdate {
  T lr, weight_decay, momentum, take;
  bool nesterov;

  DEFT_ALWAYS_INLINE explicit SgdUpdate(const SgdStep& step)
      : lr(static_cast<T>(step.lr)),
        weight_decay(static_cast<T>(step.weight_decay)),
        momentum(static_cast<T>(step.momentum)),
        take(static_cast<T>(1 - step.dampening)),
        nesterov(step.nesterov) {}

  /// With momentum; the buffer is not read in the `first` step.
  DEFT_HOST_DEVICE void operator()(bool first, T grad, T& buffer, T& param) const {
    const T g = grad + weight_decay * param;
    buffer = first ? g : momentum * buffer + take * g;
    param -= lr * (nesterov ? g + momentum * buffer : buffer);
  }

  /// Without momentum.
  DEFT_HOST_DEVICE void operator()(T grad, T& param) const { param -= lr * (grad + weight_decay * param); }
};

}  // namespace deft::kernels::DEFT_PLACE
