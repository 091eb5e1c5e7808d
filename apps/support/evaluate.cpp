#include "deft/apps/support/evaluate.h"

#include "deft/apps/support/interrupt.h"
#include "deft/core/autograd.h"
#include "deft/core/elementwise.h"
#include "deft/core/reduce.h"
#include "deft/layers/loss.h"

namespace deft::support {

std::int64_t count_correct(const Tensor& logits, const Tensor& labels) {
  return sum(eq(argmax(logits, {1}), labels)).item<std::int64_t>();
}

Evaluation evaluate(Module& model, const DataLoader& batches, Device device,
                    const std::function<void(std::int64_t)>& on_batch) {
  const EvalScope evaluating(model);
  const NoGrad no_grad;
  std::int64_t images = 0, correct = 0;
  double loss = 0;
  for (const Batch& batch : batches.epoch(0)) {
    throw_if_interrupted();
    const std::int64_t count = batch.labels.numel();
    const Tensor labels = batch.labels.to(device);
    const Tensor logits = model(batch.images.to(device));
    loss += cross_entropy(logits, labels).item() * static_cast<double>(count);
    correct += count_correct(logits, labels);
    images += count;
    if (on_batch) on_batch(count);
  }
  const auto total = static_cast<double>(images);
  return {.accuracy = static_cast<double>(correct) / total, .loss = loss / total};
}

}  // namespace deft::support
