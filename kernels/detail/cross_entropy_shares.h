// The cross entropy of one row, for the kernels of both devices.
#pragma once

#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels {

/// The shares of target class and spread in the loss of a row of logits x with probabilities p, where w are the
/// classes' weights (ones if there are none), d[c] = max(x) − x[c] and log_sum = log Σ exp(−d):
///   loss = total · log_sum + own · d[target] + smoothing · mean(w · d)
///   ∂loss/∂x[c] = total · p[c] − smoothing / classes · w[c] − (c == target ? own : 0)
/// With weights of one, total is 1 to the bit: 1 − smoothing is off by less than what the sum rounds away.
template <class T>
struct CrossEntropyShares {
  T smoothing, own, total;

  /// `target_weight` is w[target], `mean_weight` the mean of w, which is not read without smoothing.
  DEFT_HOST_DEVICE CrossEntropyShares(T label_smoothing, T target_weight, T mean_weight)
      : smoothing(label_smoothing),
        own((1 - label_smoothing) * target_weight),
        total(label_smoothing > 0 ? own + label_smoothing * mean_weight : own) {}

  /// Without smoothing `mean_distance` is not read, since it may be infinite. Without weights log_sum is a sum's first
  /// term and no product, of which the compiler could choose to round the other one, own · at_target.
  DEFT_HOST_DEVICE T loss(T log_sum, T at_target, T mean_distance) const {
    const T normalizer = total == T(1) ? log_sum : total * log_sum;
    return normalizer + own * at_target + (smoothing > 0 ? smoothing * mean_distance : T(0));
  }
};

}  // namespace deft::kernels
