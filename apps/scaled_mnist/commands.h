// The commands of scaled_mnist.
#pragma once

#include <string>
#include <vector>

#include "deft/apps/support/command_line.h"

namespace deft::apps {

/// Trains a net as experiment E0, E1 or E4 does and writes a run's folder.
support::Command train_command();
/// E4's second step: trains the offsets of a deformable net that has the weights of a regular one.
support::Command finetune_command();
/// Tests trained weights on everything that their experiment tests.
support::Command eval_command();
/// Says which digit an image file shows.
support::Command predict_command();
/// Writes report.html of a run: all there is to see of it, on one page.
support::Command report_command();
/// A table of finished runs side by side.
support::Command compare_command();

/// The experiments that this program runs: "E0", "E1" and "E4".
std::vector<std::string> own_experiments();

/// What --help says of --data.
inline constexpr const char* data_help =
    "folder with MNIST, or synthetic; default: $DEFT_DATA, else the cache of scripts/download_data.sh";

}  // namespace deft::apps
