// `bench memory`: what training steps take.
#pragma once

#include "deft/apps/support/command_line.h"

namespace deft::bench {

/// Peak memory of convolutions with their backward pass and of training steps of the experiments' nets, each in a
/// process of its own, and what a steady step still asks of the system.
support::Command memory_command();

}  // namespace deft::bench
