// `bench kernels`: every kernel against what the device can do.
#pragma once

#include "deft/apps/support/command_line.h"

namespace deft::bench {

/// Times every kernel contract in float32, forward and backward, beside the copy bandwidth and the matrix rate of the
/// same device, measured in the same run.
support::Command kernels_command();

}  // namespace deft::bench
