// What a training run tells its reader: tables, charts and TensorBoard's event file.
#pragma once

#include <optional>
#include <string>

#include "deft/apps/support/history.h"
#include "deft/apps/support/run_directory.h"
#include "deft/apps/support/tensorboard.h"

namespace deft::support {

/// Keeps log.csv, summary.json, loss.png, accuracy.png and the event file of a run up to date. What this build lacks the
/// library for is left out. Throws Error with the path and the system's reason.
class RunLog {
 public:
  RunLog(RunDirectory directory, RunInfo info);

  /// Writes all epochs, so that after a break no step stands twice in the event file and none is missing. A summary of
  /// as many epochs stays: it says where they were run.
  void start(const History& history);
  /// Adds the last epoch.
  void add_epoch(const History& history);

 private:
  void write_log(const History& history) const;  // with its charts
  void write_summary(const History& history) const;
  bool summarises(const History& history) const;
  void add_event(const History& history, const EpochRecord& record);

  RunDirectory directory_;
  RunInfo info_;
  std::optional<EventWriter> events_;
};

/// A line that says which of these files this build leaves out and why; empty: none.
std::string left_out_of_run_log();

}  // namespace deft::support
