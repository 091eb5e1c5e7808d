#include "deft/apps/support/evaluate.h"

#include <optional>

#include "deft/apps/support/interrupt.h"
#include "deft/core/autograd.h"
#include "deft/core/elementwise.h"
#include "deft/core/reduce.h"
#include "deft/core/shape_ops.h"
#include "deft/layers/loss.h"
#include "deft/layers/softmax.h"

namespace deft::support {

namespace {

// `logits` [N, classes], `labels` int64 [N].
Predictions predictions_of(const Tensor& logits, const Tensor& labels) {
  return {.labels = labels.to_vector<std::int64_t>(),
          .found = argmax(logits, {1}).to_vector<std::int64_t>(),
          .probabilities = max(softmax(logits), {1}).to_vector<float>(),
          .losses = cross_entropy(logits, labels, {.reduction = Reduction::none}).to_vector<float>()};
}

}  // namespace

Tally::Tally(Device device)
    : loss_sum_(zeros({}, {.dtype = DType::float64, .device = device})),
      hits_(zeros({}, {.dtype = DType::int64, .device = device})) {}

void Tally::add(const Tensor& logits, const Tensor& labels, const Tensor& loss) {
  const NoGrad no_grad;
  const std::int64_t count = labels.numel();
  loss_sum_ = loss_sum_ + loss.to(DType::float64) * static_cast<double>(count);
  hits_ = hits_ + sum(eq(argmax(logits, {1}), labels));
  images_ += count;
}

double Tally::loss() const { return loss_sum_.item() / static_cast<double>(images_); }
double Tally::accuracy() const { return hits_.item() / static_cast<double>(images_); }

Evaluation evaluate(Module& model, const DataLoader& batches, const std::function<void(std::int64_t)>& on_batch,
                    TestMode mode) {
  std::optional<EvalScope> evaluating;
  if (mode == TestMode::evaluation) evaluating.emplace(model);
  const NoGrad no_grad;
  std::vector<Tensor> logits, labels;  // kept where they are: reading one would wait for the device
  for (const Batch& batch : batches.epoch(0)) {
    throw_if_interrupted();
    logits.push_back(model(batch.images));
    labels.push_back(batch.labels);
    if (on_batch) on_batch(batch.labels.numel());
  }
  const Predictions predictions = predictions_of(cat(logits), cat(labels));
  return {.accuracy = predictions.accuracy(), .loss = predictions.loss(), .predictions = {predictions}};
}

Evaluation evaluate(Module& model, const DataLoader& batches, const std::string& label, const ProgressOptions& options,
                    TestMode mode) {
  Progress progress(label, batches.dataset().size(), options);
  std::int64_t images = 0;
  return evaluate(
      model, batches, [&](std::int64_t more) { progress.update(images += more); }, mode);
}

}  // namespace deft::support
