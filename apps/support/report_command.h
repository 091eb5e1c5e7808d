// What the report commands of all programs share, and what training commands do at the end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "deft/apps/support/command_line.h"
#include "deft/apps/support/config.h"
#include "deft/apps/support/run_directory.h"
#include "deft/apps/support/runtime.h"

namespace deft::support {

/// The settings of a report command.
struct ReportSettings {
  std::string run, data;
  std::int64_t limit = 0;
  RuntimeSettings runtime;
  bool no_progress = false;

  void add_to(Settings& settings);
  /// Sets data and limit as the run's config.json does, unless they were given, and those of `more` that it names. Throws
  /// Error for another folder and for values of another type.
  void complete(const RunDirectory& directory, Settings more = {});
};

/// The command "report", which calls `run` with its settings.
Command report_command(std::string summary, int (*run)(ReportSettings&));

/// Calls `write`, which writes the report of a run that is done. Where that throws Error, the run is good all the same:
/// the reason goes to stderr. Throws Interrupted, having said what is left out.
void report_after_training(const RunDirectory& run, const std::function<void()>& write);

}  // namespace deft::support
