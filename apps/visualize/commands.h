// The commands of visualize.
#pragma once

#include "deft/apps/support/command_line.h"

namespace deft::apps {

/// Where a net's deformable convolutions sample an image, as a picture or an animation.
support::Command offsets_command();
/// Which pixels the unit in the middle of the last feature map depends on, for an ordinary and a deformable net.
support::Command gradient_command();
/// What an experiment's training and test images look like.
support::Command dataset_command();

}  // namespace deft::apps
