// How the convolutions on a GPU cut their work into panels, and where panels hold what. Plain functions, so that tests
// call them on the CPU for sizes beyond any memory.
//
// A panel holds the values under the taps of some output pixels, [groups, points, taps, c / groups]: for each group,
// the left factor of a matrix product with the weights.
#pragma once

#include <algorithm>
#include <cstdint>

#include "deft/kernels/conv2d.h"
#include "deft/kernels/cuda/strided_index.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels {

/// A convolution with the sizes derived from it, for kernels, which cannot call Conv2dShape's functions.
struct ConvGeometry {
  explicit ConvGeometry(const Conv2dShape& s, std::int64_t offset_groups = 1)
      : shape(s),
        offset_groups(offset_groups),
        rows(s.h_out()),
        columns(s.w_out()),
        points(s.n * rows * columns),
        taps(s.taps()),
        inputs(s.c / s.groups),
        outputs(s.o / s.groups),
        depth(taps * inputs),
        entries(offset_groups * taps),
        entry_channels(s.c / offset_groups) {}

  /// Elements of a point in a panel, all groups together.
  std::int64_t panel_row() const { return taps * shape.c; }

  Conv2dShape shape;
  std::int64_t offset_groups;
  std::int64_t rows, columns;  ///< of an output image
  std::int64_t points;         ///< output pixels of the batch
  std::int64_t taps;
  std::int64_t inputs, outputs;  ///< channels per group
  std::int64_t depth;            ///< of a group's product
  std::int64_t entries;          ///< positions that an output pixel reads: its taps, once for each offset group
  std::int64_t entry_channels;   ///< read at each
};

/// Output pixels [first, first + count), counted over the batch.
struct Points {
  std::int64_t first, count;
};

struct OutputPixel {
  std::int64_t image, row, column;
};

DEFT_HOST_DEVICE inline OutputPixel output_pixel(const ConvGeometry& g, std::int64_t point) {
  const std::int64_t line = quotient(point, g.columns), image = quotient(line, g.rows);
  return {image, line - image * g.rows, point - line * g.columns};
}

/// The element of the input where channel `channel` of pixel (y, x) lies, which need not be inside the image.
DEFT_HOST_DEVICE inline std::int64_t input_element(const Conv2dShape& s, std::int64_t image, std::int64_t y,
                                                   std::int64_t x, std::int64_t channel) {
  return ((image * s.h + y) * s.w + x) * s.c + channel;
}

/// The element of a panel of `count` points where a tap of its point `point` has channel `channel` of the input.
DEFT_HOST_DEVICE inline std::int64_t panel_element(const ConvGeometry& g, std::int64_t count, std::int64_t point,
                                                   std::int64_t tap, std::int64_t channel) {
  const std::int64_t group = g.shape.groups == 1 ? 0 : quotient(channel, g.inputs);
  return (group * count + point) * g.depth + tap * g.inputs + channel - group * g.inputs;
}

/// One position that an output pixel of a panel reads.
struct PanelEntry {
  std::int64_t index;  ///< among all entries of the batch: the mask's element, and half the offset's
  std::int64_t point;  ///< in the panel
  std::int64_t tap;
  std::int64_t channel;  ///< the first that is read
};

/// Entry `i` of a panel. They are ordered as offset and mask are: by point, offset group and tap.
DEFT_HOST_DEVICE inline PanelEntry panel_entry(const ConvGeometry& g, const Points& points, std::int64_t i) {
  const std::int64_t row = quotient(i, g.taps), point = g.offset_groups == 1 ? row : quotient(row, g.offset_groups);
  return {points.first * g.entries + i, point, i - row * g.taps, (row - point * g.offset_groups) * g.entry_channels};
}

/// Cuts the output pixels of a batch into panels of whole images or, where one image is too much, of equal parts of
/// one.
class Panels {
 public:
  /// Bytes of a panel: few enough to stay in the L2 cache of a large GPU until the product has read them, many enough
  /// for products at full speed.
  static constexpr std::int64_t most_bytes = std::int64_t{32} << 20;
  /// Points of a panel, where its bytes set no limit: cuBLAS takes sizes of 32 bits.
  static constexpr std::int64_t most_points = std::int64_t{1} << 30;

  /// `point_bytes` is what a point takes in a panel, 0 where no memory is needed.
  Panels(const ConvGeometry& g, std::int64_t point_bytes) : images_(g.shape.n), per_image_(g.rows * g.columns) {
    if (g.points == 0) return;
    const std::int64_t most =
        point_bytes == 0 ? most_points : std::clamp<std::int64_t>(most_bytes / point_bytes, 1, most_points);
    images_step_ = std::clamp<std::int64_t>(most / per_image_, 1, images_);
    const std::int64_t parts = (per_image_ + most - 1) / most;
    part_ = (per_image_ + parts - 1) / parts;
    parts_ = (per_image_ + part_ - 1) / part_;
    count_ = (images_ + images_step_ - 1) / images_step_ * parts_;
  }

  std::int64_t count() const { return count_; }
  bool of_whole_images() const { return parts_ == 1; }
  /// Points of the largest panel.
  std::int64_t largest() const { return images_step_ * part_; }

  Points operator[](std::int64_t i) const {
    const std::int64_t image = i / parts_ * images_step_, end = std::min(image + images_step_, images_) * per_image_;
    const std::int64_t first = image * per_image_ + i % parts_ * part_;
    return {first, std::min(largest(), end - first)};
  }

 private:
  std::int64_t images_, per_image_;
  std::int64_t images_step_ = 0, part_ = 0, parts_ = 1, count_ = 0;
};

}  // namespace deft::kernels
