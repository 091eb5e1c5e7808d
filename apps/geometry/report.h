// report.html of the cells' runs.
#pragma once

#include <string>

#include "deft/apps/experiments/cells.h"
#include "deft/apps/support/progress.h"
#include "deft/apps/support/run_directory.h"
#include "deft/data/dataset.h"
#include "deft/kernels/runtime/device.h"

namespace deft::apps::geometry {

/// The row whose images the run in this folder is of, as its checkpoint says. Throws Error that names the checkpoint when
/// it is missing or that of no cell.
const Row& row_of(const support::RunDirectory& run);

/// Writes a run's report.html, with the weights of its last epoch tested on the row's test images. Throws Error that
/// names the file where the run lacks one.
void write_report(const support::RunDirectory& run, const Row& row, const Dataset& test, Device device,
                  const support::ProgressOptions& progress);

}  // namespace deft::apps::geometry
