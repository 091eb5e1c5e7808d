// report.html of runs on MNIST.
#pragma once

#include <vector>

#include "deft/apps/support/history.h"
#include "deft/apps/support/progress.h"
#include "deft/apps/support/run_directory.h"
#include "deft/data/dataset.h"
#include "deft/kernels/runtime/device.h"

namespace deft::apps {

/// Writes a run's report.html, with its best weights tested on everything that their experiment tests. `tested` is what
/// that gave, if it is known: a set of predictions per test; of another size, the test is made here. Throws Error that
/// names the file where the run lacks one.
void write_report(const support::RunDirectory& run, const Dataset& test, Device device,
                  const std::vector<support::Predictions>& tested, const support::ProgressOptions& progress);

}  // namespace deft::apps
