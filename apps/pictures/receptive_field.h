// Which pixels one unit of a net depends on.
#pragma once

#include <cstdint>
#include <vector>

#include "deft/core/tensor.h"
#include "deft/layers/module.h"

namespace deft::apps {

/// What the sum over the channels of one cell of a feature map changes with.
struct ReceptiveField {
  std::int64_t height = 0, width = 0;   ///< of the feature map
  std::int64_t cell_y = 0, cell_x = 0;  ///< in it, the one in the middle
  std::vector<double> gradient;         ///< per pixel of the image, row by row: the largest magnitude over its channels
  std::vector<bool> marked;             ///< whether that exceeds 1/255 of the largest

  std::int64_t count() const;  ///< of marked pixels
};

/// Runs `net` in evaluation mode on `image`, [1, H, W, C], and backpropagates from the last feature map that has more
/// than one cell (E1's second program). Clears the net's gradients. Throws Error for a net without feature maps.
ReceptiveField receptive_field(Module& net, const Tensor& image);

}  // namespace deft::apps
