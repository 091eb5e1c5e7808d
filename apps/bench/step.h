// `bench step`: what one training step costs.
#pragma once

#include "deft/apps/support/command_line.h"

namespace deft::bench {

/// Times one step (forward, loss, backward, optimizer) of the experiments' nets on one batch, side by side.
support::Command step_command();

}  // namespace deft::bench
