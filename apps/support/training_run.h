// What the training commands of all programs share: settings besides those of the experiment, and how a run starts.
#pragma once

#include <cstdint>
#include <string>

#include "deft/apps/support/config.h"
#include "deft/apps/support/progress.h"
#include "deft/apps/support/runtime.h"
#include "deft/apps/support/trainer.h"
#include "deft/data/dataset.h"
#include "deft/data/loader.h"
#include "deft/data/locate.h"
#include "deft/data/transform.h"
#include "deft/kernels/runtime/device.h"

namespace deft::support {

/// Settings that every training command has.
struct RunSettings {
  std::string data;
  std::int64_t limit = 0;
  std::int64_t max_steps = 0;
  std::int64_t save_epoch_freq = 0;
  bool update_bn = false;
  RuntimeSettings runtime;
  bool resume = false, no_progress = false, quiet = false;

  /// `data_help` is what --help says of --data.
  void add_to(Settings& settings, const char* data_help);
};

/// A bar or lines, or neither.
ProgressOptions progress_options(bool off);

/// "MNIST, FOLDER: 60000 training and 10000 test images".
std::string description(const TrainTest& data);

/// "MNIST, 60000 images, CRC-32 0a1b2c3d", by which a checkpoint knows its data.
std::string fingerprint(const Dataset& dataset);

/// Batches to train with: all `images`, moved to `device`, in an order that `seed` shuffles anew every epoch.
DataLoader training_batches(const Dataset& images, std::int64_t batch_size, std::uint64_t seed, Device device,
                            Transform transform = {});

/// Says what is about to be trained, and trains. `info` needs experiment, model, seed, data and perhaps evaluation,
/// `options` epochs, config and settings; the rest of both follows from `settings` and the model.
History train(const RunSettings& settings, const TrainingState& state, DataLoader batches, Trainer::Evaluate evaluate,
              RunInfo info, const RunDirectory& directory, TrainerOptions options);

}  // namespace deft::support
