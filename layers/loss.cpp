#include "deft/layers/loss.h"

#include <fmt/format.h>

#include "deft/core/autograd.h"
#include "deft/core/checks.h"
#include "deft/core/detail/optional_data.h"
#include "deft/core/dispatch.h"
#include "deft/core/elementwise.h"
#include "deft/core/reduce.h"
#include "deft/kernels/softmax.h"
#include "deft/layers/softmax.h"

namespace deft {
namespace {

Tensor reduced(const Tensor& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean:
      return mean(losses);
    case Reduction::sum:
      return sum(losses);
    case Reduction::none:
      break;
  }
  return losses;
}

bool holds_probabilities(const Tensor& target) { return is_floating(target.dtype()); }

/// The shape without its last axis.
Shape rows_of(const Shape& shape) {
  Shape rows;
  for (int axis = 0; axis + 1 < shape.dim(); ++axis) rows.push_back(shape[axis]);
  return rows;
}

void check_target(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  require_same_device("cross_entropy", {{"logits", logits}, {"target", target}});
  const Shape rows = rows_of(logits.shape());
  const bool fits = holds_probabilities(target) ? target.dtype() == logits.dtype() && target.shape() == logits.shape()
                                                : target.dtype() == DType::int64 && target.shape() == rows;
  if (!fits) {
    throw Error(fmt::format("cross_entropy: target is {} {}, expected int64 {} (classes) or {} {} (probabilities)",
                            to_string(target.dtype()), to_string(target.shape()), to_string(rows),
                            to_string(logits.dtype()), to_string(logits.shape())));
  }
  if (!holds_probabilities(target)) {
    return require_indices("cross_entropy", {"target", target}, logits.size(-1), options.ignore_index);
  }
  if (options.ignore_index >= 0) {
    throw Error(fmt::format("cross_entropy: ignore_index is {}, expected none with a target of probabilities",
                            options.ignore_index));
  }
}

void check_weight(const Tensor& logits, const Tensor& weight) {
  require_same_kind("cross_entropy", {{"logits", logits}, {"weight", weight}});
  if (!(weight.shape() == Shape{logits.size(-1)})) {
    throw Error(fmt::format("cross_entropy: weight is {}, expected [{}] (classes of logits {})",
                            to_string(weight.shape()), logits.size(-1), to_string(logits.shape())));
  }
  if (weight.requires_grad()) throw Error("cross_entropy: weight requires grad, expected a constant");
}

void check(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  if (logits.dim() == 0 || logits.size(-1) == 0) {
    throw Error(fmt::format("cross_entropy: logits is {}, expected [..., classes] with at least one class",
                            to_string(logits.shape())));
  }
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
    throw Error(fmt::format("cross_entropy: label_smoothing is {}, expected 0 to 1", options.label_smoothing));
  }
  if (options.weight.defined()) check_weight(logits, options.weight);
  check_target(logits, target, options);
}

Tensor of_probabilities(const Tensor& logits, Tensor target, const CrossEntropyOptions& options) {
  const double smoothing = options.label_smoothing;
  if (smoothing > 0) target = target * (1 - smoothing) + smoothing / static_cast<double>(logits.size(-1));
  if (options.weight.defined()) target = target * options.weight;
  return reduced(-sum(target * log_softmax(logits), {-1}), options.reduction);
}

Tensor of_classes(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  const kernels::CrossEntropyShape shape{target.numel(), logits.size(-1), options.label_smoothing,
                                         options.ignore_index};
  const bool is_mean = options.reduction == Reduction::mean;
  Tensor losses = empty(target.shape(), {.dtype = logits.dtype(), .device = logits.device()});
  Tensor log_sum_exp = empty_like(losses), target_weight = is_mean ? empty_like(losses) : Tensor();
  dispatch_floating(logits, "cross_entropy", [&]<class T>(auto place) {
    kernels::cross_entropy_forward<T>(place, shape, logits.data<T>(), target.data<std::int64_t>(),
                                      data_or_null<T>(options.weight), losses.mutable_data<T>(),
                                      log_sum_exp.mutable_data<T>(), mutable_data_or_null<T>(target_weight));
  });
  record("cross_entropy", {logits, target, options.weight},
         {{"label_smoothing", options.label_smoothing}, {"ignore_index", options.ignore_index}}, {losses},
         {.saved = {logits, target, options.weight, log_sum_exp},
          .apply = [shape](const BackwardContext& context) -> std::vector<Tensor> {
            const Tensor &grad = context.grad(), &x = context.saved(0), &classes = context.saved(1);
            const Tensor &weight = context.saved(2), &normalizer = context.saved(3);
            Tensor grad_x = empty_like(x);
            dispatch_floating(x, "cross_entropy", [&]<class T>(auto place) {
              kernels::cross_entropy_backward<T>(place, shape, grad.data<T>(), x.data<T>(),
                                                 classes.data<std::int64_t>(), data_or_null<T>(weight),
                                                 normalizer.data<T>(), grad_x.mutable_data<T>());
            });
            return {grad_x, Tensor(), Tensor()};
          }});
  // The mean of weights that are all one is 1, and the quotient the mean of the losses to the bit.
  return is_mean ? mean(losses) / mean(target_weight) : reduced(losses, options.reduction);
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  check(logits, target, options);
  return holds_probabilities(target) ? of_probabilities(logits, target, options) : of_classes(logits, target, options);
}

Tensor mse_loss(const Tensor& input, const Tensor& target, const MSELossOptions& options) {
  if (!(input.shape() == target.shape())) {
    throw Error(fmt::format("mse_loss: target is {}, expected {} (shape of input)", to_string(target.shape()),
                            to_string(input.shape())));
  }
  const Tensor difference = input - target;
  return reduced(difference * difference, options.reduction);
}

}  // namespace deft
