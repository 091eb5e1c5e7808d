// Weights and checkpoints of training runs, as safetensors files.
#pragma once

#include <map>
#include <string>

#include "deft/apps/support/history.h"
#include "deft/core/safetensors.h"
#include "deft/kernels/runtime/error.h"
#include "deft/layers/module.h"
#include "deft/optim/lr_scheduler.h"
#include "deft/optim/optimizer.h"

namespace deft::support {

/// Writes the parameters and buffers of `model` with the metadata experiment, model, epoch, accuracy (in the
/// evaluation after that epoch), seed, data and layout (channels last).
void save_weights(const std::string& path, const Module& model, const RunInfo& info, const EpochRecord& record);

/// What a weights file says about itself: the value of `key` in its metadata. Throws Error that names the file, `path`,
/// when it has none.
std::string metadata_value(const Safetensors& file, const std::string& path, const std::string& key);

/// Calls `read`, which restores what the file `path` holds; an Error of it is thrown with the path in front.
template <class Read>
auto naming_file(const std::string& path, Read read) {
  try {
    return read();
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  }
}

/// Everything that a run goes on with, bit for bit, besides the settings it was started with.
struct TrainingState {
  Module& model;
  Optimizer& optimizer;
  LRScheduler& scheduler;
  History history = {};
};

/// Writes model, optimizer, schedule, the default generator's state and the history. `settings` identifies the run;
/// `device`, where it last ran, is noted beside them.
void save_checkpoint(const std::string& path, const TrainingState& state,
                     const std::map<std::string, std::string>& settings, Device device);

/// Restores what save_checkpoint wrote, on whatever device the model is. Throws Error for a damaged file and when
/// `settings` or the model differ from those of the run that wrote it, naming the first difference; nothing is to be
/// used afterwards then.
void load_checkpoint(const std::string& path, TrainingState& state, const std::map<std::string, std::string>& settings);

/// The history in a checkpoint. Throws Error for a damaged file.
History read_history(const std::string& path);

}  // namespace deft::support
