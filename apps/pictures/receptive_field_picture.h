// Pictures of receptive fields.
#pragma once

#include <string>
#include <vector>

#include "deft/apps/pictures/receptive_field.h"
#include "deft/apps/support/canvas.h"
#include "deft/core/tensor.h"

namespace deft::apps {

/// One net's field of an image.
struct ShownField {
  std::string caption;  ///< "E0, deform-v2, seed 1"
  ReceptiveField field;
};

struct FieldPicture {
  std::string title = {};               ///< above all; empty: none
  std::vector<ShownField> fields = {};  ///< side by side
  double image_size = 420;              ///< of the longer side of the enlarged image
  bool legend = true;
};

/// Draws the image, uint8 [H, W, C], once per field, each of as many pixels, with a dot on every marked pixel. The picture
/// is as wide as its texts need. Throws Error in a build without cairo.
support::Canvas draw_receptive_fields(const Tensor& bytes, const FieldPicture& picture);

}  // namespace deft::apps
