// Animations.
#pragma once

#include <string>
#include <vector>

#include "deft/core/tensor.h"

namespace deft::support {

/// Whether this build can make animations. Without the giflib library, gif() throws Error.
bool can_animate();

/// A GIF file that shows `frames`, each uint8 [H, W, 3] on the CPU, one after the other without end, each for `seconds`
/// (to a hundredth). A frame has its own 255 colours: exactly those that it has, or if they are more, the most frequent
/// ones and others near the rest. Throws Error for no frames, frames of different sizes, and sizes and times that GIF
/// does not have (1 to 65,535 pixels, 0.01 to 655.35 seconds).
std::string gif(const std::vector<Tensor>& frames, double seconds);

}  // namespace deft::support
