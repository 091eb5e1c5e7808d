// report.html of runs on CIFAR-10.
#pragma once

#include "deft/apps/cifar10/model.h"
#include "deft/apps/support/progress.h"
#include "deft/apps/support/run_directory.h"
#include "deft/data/dataset.h"
#include "deft/kernels/runtime/device.h"

namespace deft::apps::cifar10 {

/// Writes a run's report.html, with the weights of its last epoch tested on the test images, as the command `test` does.
/// Throws Error that names the file where the run lacks one.
void write_report(const support::RunDirectory& run, const ModelSettings& model, const Dataset& test, Device device,
                  const support::ProgressOptions& progress);

}  // namespace deft::apps::cifar10
