// The commands of cifar10.
#pragma once

#include "deft/apps/support/command_line.h"

namespace deft::apps::cifar10 {

/// Trains a net as experiment E2 does and writes a run's folder.
support::Command train_command();
/// Tests trained weights on the test images.
support::Command test_command();
/// Writes report.html of a run: all there is to see of it, on one page.
support::Command report_command();

/// What --help says of --data.
inline constexpr const char* data_help =
    "folder with CIFAR-10's binary version; default: $DEFT_DATA, else the cache of scripts/download_data.sh";

}  // namespace deft::apps::cifar10
