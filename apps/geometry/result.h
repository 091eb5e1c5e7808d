// What the cells of experiment E3 have come to.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "deft/apps/experiments/cells.h"

namespace deft::apps::geometry {

/// The folder of a cell's run.
std::string cell_folder(const std::string& out, const Cell& cell);

/// Whether the run in `folder` has done as many epochs, as its summary.json says.
bool has_epochs(const std::string& folder, std::int64_t epochs);

/// Whether the run in `folder` was started with the settings in `config`, contents of a config.json, as far as they
/// decide what it computes; whether the images are the same, its checkpoint knows.
bool has_settings(const std::string& folder, const std::string& config);

/// Writes summary.json into the folder `out`: a record for each cell that is named, from the summary.json of its run:
/// experiment, cell, row, model, seed, accuracy and published (in percent, the former after the last epoch, since
/// choosing an epoch would be choosing by test images), best_accuracy, best_epoch, epochs, seconds (training and tests),
/// parameters, device, precision, conv_algorithm, threads, instruction_set, machine, data. Throws Error that names a file
/// that is not the summary of a run.
void write_results(const std::string& out, const std::set<std::string>& done);

/// The table of what write_results has written in `out`: for each row both nets' accuracies and their difference, ours
/// beside the published ones; a dash for what is not there.
std::string result_table(const std::string& out);

}  // namespace deft::apps::geometry
