// Testing a classifier.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "deft/apps/support/history.h"
#include "deft/apps/support/progress.h"
#include "deft/data/loader.h"
#include "deft/layers/module.h"

namespace deft::support {

/// Loss and hits of a classifier, added up batch by batch. The sums stand on the device of the classifier, so that
/// adding waits for nothing; reading waits for the device.
class Tally {
 public:
  explicit Tally(Device device);

  /// One batch: `logits` [N, classes], `labels` int64 [N], and the mean of its losses.
  void add(const Tensor& logits, const Tensor& labels, const Tensor& loss);

  std::int64_t images() const { return images_; }
  /// Means over all images so far. An image is a hit when the largest of its logits stands where its label says.
  double loss() const;
  double accuracy() const;

 private:
  std::int64_t images_ = 0;
  Tensor loss_sum_, hits_;  // float64 and int64 scalars
};

/// The mode that a model is tested in.
enum class TestMode {
  evaluation,  ///< evaluation mode; afterwards the model is in the mode it was in
  unchanged    ///< that in which it is; in training mode BatchNorm2d normalises by each batch and moves its statistics
};

/// Accuracy, mean cross entropy and predictions of `model`, where `batches` come out, over one epoch of them, without
/// gradients. `on_batch` is called with the number of images of each batch. Throws Interrupted between batches.
Evaluation evaluate(Module& model, const DataLoader& batches,
                    const std::function<void(std::int64_t images)>& on_batch = {},
                    TestMode mode = TestMode::evaluation);

/// The same with a bar of this label.
Evaluation evaluate(Module& model, const DataLoader& batches, const std::string& label, const ProgressOptions& progress,
                    TestMode mode = TestMode::evaluation);

}  // namespace deft::support
