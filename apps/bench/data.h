// `bench data`: how fast batches are made.
#pragma once

#include "deft/apps/support/command_line.h"

namespace deft::bench {

/// Times whole epochs of a data loader over MNIST, without augmentation and with those of the experiments.
support::Command data_command();

}  // namespace deft::bench
