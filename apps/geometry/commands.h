// The commands of geometry.
#pragma once

#include "deft/apps/support/command_line.h"

namespace deft::apps::geometry {

/// Trains both nets on all images of experiment E3 and shows the table.
support::Command run_command();
/// Trains candidates for the regular net and compares them on training images that are held out.
support::Command select_command();
/// Tests trained weights on all rows of their data set.
support::Command eval_command();
/// Writes report.html of a cell's run: all there is to see of it, on one page.
support::Command report_command();

}  // namespace deft::apps::geometry
