// Finished runs side by side.
#pragma once

#include <string>
#include <vector>

namespace deft::support {

/// A table of the runs in these folders, from their summary.json: a column per run, a row per figure, empty
/// for a scale that a run was not tested at. Throws Error that
/// names the file for one that is missing or lacks a figure.
std::string compare_runs(const std::vector<std::string>& folders);

}  // namespace deft::support
