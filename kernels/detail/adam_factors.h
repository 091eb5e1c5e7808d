// What the elements of an Adam step share.
#pragma once

#include <cmath>

#include "deft/kernels/optimizer_step.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels {

/// Of all parameters.
template <class T>
struct AdamFactors {
  T beta1, take1, beta2, take2, eps, shrink, decay;

  DEFT_ALWAYS_INLINE explicit AdamFactors(const AdamStep& step)
      : beta1(static_cast<T>(step.beta1)),
        take1(static_cast<T>(1 - step.beta1)),
        beta2(static_cast<T>(step.beta2)),
        take2(static_cast<T>(1 - step.beta2)),
        eps(static_cast<T>(step.eps)),
        shrink(step.decoupled ? static_cast<T>(1 - step.lr * step.weight_decay) : T(1)),
        decay(step.decoupled ? T(0) : static_cast<T>(step.weight_decay)) {}
};

/// Of a parameter's step with this number: the corrections of the moments' bias.
template <class T>
struct AdamCorrection {
  T step_size = 0, root = 0;

  AdamCorrection() = default;
  DEFT_ALWAYS_INLINE AdamCorrection(const AdamStep& step, std::int64_t number)
      : step_size(static_cast<T>(step.lr / (1 - std::pow(step.beta1, static_cast<double>(number))))),
        root(static_cast<T>(std::sqrt(1 - std::pow(step.beta2, static_cast<double>(number))))) {}
};

}  // namespace deft::kernels
