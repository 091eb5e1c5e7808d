// Testing a classifier.
#pragma once

#include <cstdint>
#include <functional>

#include "deft/apps/support/history.h"
#include "deft/data/loader.h"
#include "deft/layers/module.h"

namespace deft::support {

/// How many rows of `logits` [N, classes] have their largest element at the place that `labels` (int64 [N]) names.
std::int64_t count_correct(const Tensor& logits, const Tensor& labels);

/// Accuracy and mean cross entropy of `model` over one epoch of `batches`, in evaluation mode and without gradients;
/// afterwards the model is in the mode it was in. `on_batch` is called with the number of images of each batch. Throws
/// Interrupted between batches.
Evaluation evaluate(Module& model, const DataLoader& batches, Device device,
                    const std::function<void(std::int64_t images)>& on_batch = {});

}  // namespace deft::support
