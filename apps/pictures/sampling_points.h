// Pictures of where a net's deformable convolutions sample an image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "deft/apps/pictures/sampling_map.h"
#include "deft/apps/support/canvas.h"
#include "deft/data/transform.h"

namespace deft::apps {

/// A cell of a feature map.
struct FeatureCell {
  std::int64_t y = 0, x = 0;
};

/// Which panels a picture has: the traced cell, the layers, or both.
enum class SamplingView { all, traced, layers };

/// What a picture of sampling points shows, and what it says beside them.
struct SamplingPicture {
  std::string subject = {};                ///< "test image 18 of MNIST"
  std::optional<std::int64_t> label = {};  ///< the image's true class
  std::vector<std::string> class_names = {};
  std::string net = {};  ///< "E0, deform-v2, seed 1"

  std::string layer = {};                ///< whose cell is traced; default: the last deformable one
  std::optional<FeatureCell> cell = {};  ///< default: the one in the middle
  std::vector<double> thresholds =
      {};  ///< in pixels of the image, for all layers or one for each; default: longest_tenth
  SamplingView view = SamplingView::all;
  double image_size = 420;  ///< of the longer side of the enlarged image
};

/// For each deformable layer, from the image upwards, the length in pixels of the image, with two digits, that about a
/// tenth of its offsets exceed.
std::vector<double> longest_tenth(const SamplingMap& map);

/// Draws `image`, [1, H, W, C] as the net takes it after `pixels`: once with the sampling points of one output cell,
/// traced through all deformable layers down to the pixels, as in the figures of Dai et al. 2017, and once per
/// deformable layer with the taps of all its cells whose offsets are longer than the threshold. Throws Error as
/// SamplingMap does, for a layer, a cell and a number of thresholds that the net does not have, and in a build without
/// cairo.
support::Canvas draw_sampling_points(Module& net, const Tensor& image, const Transform& pixels,
                                     const SamplingPicture& picture = {});

}  // namespace deft::apps
