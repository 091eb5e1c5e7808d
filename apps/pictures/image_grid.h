// Grids of a data set's images as nets are shown them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deft/apps/support/canvas.h"
#include "deft/data/dataset.h"
#include "deft/data/transform.h"

namespace deft::apps {

/// How images are shown to a net: in a test, or in an epoch of training.
struct ImageForm {
  std::string title;  ///< "scale 0.5", "epoch 3"
  Transform transform;
  std::uint64_t seed = 0, epoch = 0;
};

/// Images as they are.
ImageForm unchanged(Transform transform);

/// What training with this seed shows of an image: as it is and then as in each of the first epochs, `count` forms in
/// all, or one if nothing changes it.
std::vector<ImageForm> training_forms(const Transform& transform, std::uint64_t seed, std::int64_t count);

struct ImageGrid {
  std::string title = {};  ///< above all; empty: none
  /// Several: a row per image, all its forms side by side. One: in every row other images, each with its class.
  std::vector<ImageForm> forms = {};
  std::int64_t first = 0;               ///< image
  std::int64_t rows = 6, columns = 12;  ///< at most; columns only of one form
  double size = 84;                     ///< side of an image
};

/// Draws images of a data set that has at least one from `first` on. The picture is as wide as its texts need. Throws
/// Error in a build without cairo.
support::Canvas draw_images(const Dataset& set, const ImageGrid& grid);

}  // namespace deft::apps
