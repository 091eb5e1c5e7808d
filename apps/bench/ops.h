// `bench ops`: ordinary and deformable convolution as users call them.
#pragma once

#include "deft/apps/support/command_line.h"

namespace deft::bench {

/// Times conv2d and deform_conv2d v1 and v2, forward and forward with backward, beside the arithmetic peak of the same
/// moments.
support::Command ops_command();

}  // namespace deft::bench
