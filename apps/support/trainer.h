// The loop of a training run: epochs, evaluation, logs, weights and checkpoints.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "deft/apps/support/checkpoint.h"
#include "deft/apps/support/history.h"
#include "deft/apps/support/progress.h"
#include "deft/apps/support/run_directory.h"
#include "deft/apps/support/run_log.h"
#include "deft/data/loader.h"

namespace deft::support {

struct TrainerOptions {
  std::int64_t epochs = 1;
  std::int64_t max_steps = 0;        ///< ends the run after so many steps in all; 0: no such limit
  std::int64_t save_epoch_freq = 0;  ///< also keeps the weights of every so many epochs; 0: of none
  bool update_bn = false;  ///< takes BatchNorm's running statistics anew after every epoch, before the evaluation
  bool resume = false;     ///< resumes from the run's checkpoint, if there is one
  bool quiet = false;      ///< no table
  ProgressOptions progress = {};
  std::string config = {};  ///< contents of config.json
  /// The settings that decide what the run computes; a checkpoint of other settings is refused.
  std::map<std::string, std::string> settings = {};
};

/// Trains a classifier with cross entropy and evaluates it after every epoch. Writes, into its folder, which it makes
/// and, unless it resumes, clears of an earlier run's files: config.json and graph.dot at the start, and after every
/// epoch the weights best.safetensors and last.safetensors, a checkpoint, the snapshots that save_epoch_freq asks for,
/// and what RunLog writes. An interrupted run that is resumed ends with the same bits as one that was not; one that is
/// done already keeps what config.json and summary.json say of it.
class Trainer {
 public:
  /// Tests the model; returns what goes into the log.
  using Evaluate = std::function<Evaluation(const ProgressOptions&)>;

  /// `batches` gives epoch e (from 1) the batches epoch(e), on the device of the model.
  Trainer(TrainingState state, DataLoader batches, Evaluate evaluate, RunInfo info, RunDirectory directory,
          TrainerOptions options);

  /// Runs what is left of the run. On Ctrl-C it says what is saved and throws Interrupted, with the files of the last
  /// whole epoch in place. Throws Error when the loss is no longer finite, for a checkpoint of more epochs, and when
  /// update_bn is asked for of a model without BatchNorm2d.
  const History& run();

 private:
  bool resume();  // whether there was a checkpoint to go on from
  void run_epoch(std::int64_t epoch);
  EpochRecord train_epoch(std::int64_t epoch);
  void update_statistics(std::int64_t epoch);  // over the epoch's batches
  void require_statistics();
  void print(const EpochRecord& record) const;
  void save(const EpochRecord& record);
  void write_graph();
  bool finished() const;

  TrainingState state_;
  DataLoader batches_;
  Evaluate evaluate_;
  RunInfo info_;
  RunDirectory directory_;
  TrainerOptions options_;
  RunLog log_;
  std::int64_t steps_ = 0;
};

}  // namespace deft::support
