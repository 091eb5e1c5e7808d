// Finished runs side by side.
#pragma once

#include <string>
#include <vector>

#include "deft/apps/support/chart.h"

namespace deft::support {

/// A table of the runs in these folders, from their summary.json: a column per run, a row per figure, empty
/// for a scale that a run was not tested at. Throws Error that
/// names the file for one that is missing or lacks a figure.
std::string compare_runs(const std::vector<std::string>& folders);

/// Accuracy of the runs in these folders by epoch, on the images that they were tried on after each. Runs of one model
/// on the same images share a colour; regular nets are dashed. Throws Error as compare_runs does.
LineChart accuracy_by_epoch(const std::vector<std::string>& folders);

/// Accuracy of their best epochs by scale, likewise. Throws Error that names a run that was not tested at several.
LineChart accuracy_by_scale(const std::vector<std::string>& folders);

}  // namespace deft::support
