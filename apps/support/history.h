// What a training run has measured, epoch by epoch, and the files that say so.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "deft/apps/support/predictions.h"

namespace deft::support {

/// A model's result on test images. Accuracies are shares, 0 to 1.
struct Evaluation {
  double accuracy = 0;
  double loss = std::numeric_limits<double>::quiet_NaN();      ///< mean; NaN: not measured
  std::vector<std::pair<std::string, double>> per_scale = {};  ///< accuracy by scale ("0.5"), if tested so
  /// Image by image, for every form that they were tested in. A training run keeps those of its best epoch, and
  /// writes none into its history.
  std::vector<Predictions> predictions = {};
};

/// One epoch.
struct EpochRecord {
  std::int64_t epoch = 0;  ///< from 1
  double learning_rate = 0;
  double train_loss = 0, train_accuracy = 0;  ///< means over the images of the epoch, as the net was when it saw them
  Evaluation test = {};                       ///< on the test images, or those that RunInfo says
  double seconds = 0;                         ///< of training
  double test_seconds = 0;                    ///< of the evaluation after it
};

/// All epochs, in order.
struct History {
  std::vector<EpochRecord> epochs;

  /// Seconds of training and evaluation up to and with this one of the epochs.
  double elapsed(const EpochRecord& record) const;

  /// The epoch with the best test accuracy, the first of several. Throws Error when there is none.
  const EpochRecord& best() const;
};

/// A line per epoch, with titles; a column per scale. `evaluation` is what RunInfo says.
std::string to_csv(const History& history, const std::string& evaluation = "test");

/// JSON that keeps every number exactly.
std::string to_json(const History& history);
/// Reads it. Throws Error that starts with `source`, where the text is from.
History history_from_json(const std::string& text, const std::string& source);

/// What identifies a run besides its history.
struct RunInfo {
  std::string experiment = {};  ///< "E0"
  std::string model = {};       ///< "deform-v2"
  std::int64_t seed = 1;
  std::string data = {};            ///< which data set and where from
  std::string evaluation = "test";  ///< the images that the net is tried on after every epoch: "test" or "validation"
  std::string device = {};
  std::string precision = {};       ///< of float32 products on a GPU: "highest" or "tf32"
  std::string conv_algorithm = {};  ///< of 3x3 convolutions on the CPU: "automatic", "direct" or "winograd"
  int threads = 0;
  std::int64_t parameters = 0;  ///< trained values
};

/// The contents of summary.json: experiment, model, epochs (done), best_epoch, best_accuracy, final_accuracy, per_scale
/// (scale → accuracy of the best epoch), seconds_per_epoch and test_seconds_per_epoch (lists), parameters, threads,
/// seed, device, precision, conv_algorithm, data, evaluation, instruction_set (of the CPU's kernels), machine. Throws
/// Error for an empty history.
std::string summary_json(const RunInfo& info, const History& history);

}  // namespace deft::support
