#include "deft/layers/loss.h"

#include <fmt/format.h>

#include "deft/core/autograd.h"
#include "deft/core/checks.h"
#include "deft/core/elementwise.h"
#include "deft/core/reduce.h"
#include "deft/kernels/dispatch.h"
#include "deft/kernels/softmax.h"

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

void check(const Tensor& logits, const Tensor& target, double label_smoothing) {
  require_dim("cross_entropy", {"logits", logits}, 2, "[N, classes]");
  require_dtype("cross_entropy", {"target", target}, DType::int64);
  require_same_device("cross_entropy", {{"logits", logits}, {"target", target}});
  if (!(target.shape() == Shape{logits.size(0)})) {
    throw Error(fmt::format("cross_entropy: target is {}, expected [{}] (N of logits {})", to_string(target.shape()),
                            logits.size(0), to_string(logits.shape())));
  }
  if (!(label_smoothing >= 0 && label_smoothing <= 1)) {
    throw Error(fmt::format("cross_entropy: label_smoothing is {}, expected 0 to 1", label_smoothing));
  }
  require_indices("cross_entropy", {"target", target}, logits.size(1));
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  check(logits, target, options.label_smoothing);
  const kernels::CrossEntropyShape shape{logits.size(0), logits.size(1), options.label_smoothing};
  Tensor losses = empty({shape.n}, {.dtype = logits.dtype(), .device = logits.device()});
  Tensor log_sum_exp = empty_like(losses);
  on_device(logits.device(), [&](auto device) {
    visit_floating(logits.dtype(), "cross_entropy", [&](auto tag) {
      using T = typename decltype(tag)::type;
      kernels::cross_entropy_forward<T>(device, shape, logits.data<T>(), target.data<std::int64_t>(),
                                        losses.mutable_data<T>(), log_sum_exp.mutable_data<T>());
    });
  });
  record(
      "cross_entropy", {logits, target}, {{"label_smoothing", options.label_smoothing}}, {losses},
      {.saved = {logits, target, log_sum_exp}, .apply = [shape](const BackwardContext& context) -> std::vector<Tensor> {
         const Tensor &grad = context.grad(), &x = context.saved(0), &classes = context.saved(1);
         const Tensor& normalizer = context.saved(2);
         Tensor grad_x = empty_like(x);
         on_device(x.device(), [&](auto device) {
           visit_floating(x.dtype(), "cross_entropy", [&](auto tag) {
             using T = typename decltype(tag)::type;
             kernels::cross_entropy_backward<T>(device, shape, grad.data<T>(), x.data<T>(),
                                                classes.data<std::int64_t>(), normalizer.data<T>(),
                                                grad_x.mutable_data<T>());
           });
         });
         return {grad_x, Tensor()};
       }});
  return reduced(losses, options.reduction);
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
