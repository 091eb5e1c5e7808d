// The geometry of augmentation: affine maps between images, fixed and random, and how they compose.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "deft/core/tensor.h"
#include "deft/kernels/runtime/philox.h"

namespace deft {

/// Takes a position in the output image to the one in the input image that it shows, both in pixels from the image's
/// centre, x to the right and y downward: x_in = xx · x_out + xy · y_out + x, y_in = yx · x_out + yy · y_out + y.
struct AffineMatrix {
  double xx = 1, xy = 0, x = 0;
  double yx = 0, yy = 1, y = 0;
};

/// `first` applied to the image, then `second` to the result, as one map.
AffineMatrix compose(const AffineMatrix& first, const AffineMatrix& second);

/// The matrices as the float32 tensor [N, 2, 3] that affine_warp takes.
Tensor to_tensor(const std::vector<AffineMatrix>& matrices, Device device = default_device());

/// The size of the images that a step moves, in pixels.
struct ImageSize {
  std::int64_t height = 0, width = 0;
};

/// One step of an augmentation: draws its numbers and gives the matrix for one image. The functions below make the
/// usual ones; any function of this type will do that several threads may call at once: a loader's workers share it.
using AffineStep = std::function<AffineMatrix(const ImageSize& size, PhiloxSequence& random)>;

/// The matrix of several steps, the first one applied to the image first. Nothing is cut off between steps: what one
/// moves out of the image another may move in again.
AffineMatrix draw_matrix(const std::vector<AffineStep>& steps, const ImageSize& size, PhiloxSequence& random);

/// Uniform in [low, high); one number stands for itself.
struct Range {
  Range(double value) : low(value), high(value) {}
  Range(double low, double high) : low(low), high(high) {}
  double low, high;
};

/// What random_affine draws, as the result shows it. Positions are measured from the image's centre; applied in order
/// zoom-out, shear, scale, rotation, shift.
struct AffineRanges {
  Range angle = 0;        ///< degrees, clockwise
  Range scale = 1;        ///< 2 doubles what the image shows
  Range zoom_out_y = 1;   ///< 2 halves it in this direction alone
  Range zoom_out_x = 1;   ///<
  Range shear_y = 0;      ///< degrees
  Range shear_x = 0;      ///<
  Range shift_y = 0;      ///< pixels, downward
  Range shift_x = 0;      ///< pixels, to the right
  Range translate_y = 0;  ///< the same as a fraction of the height; added
  Range translate_x = 0;  ///< as a fraction of the width
};

/// A random affine map; with single numbers in place of ranges a fixed one, equal to torchvision's
/// transforms.functional.affine. Throws Error for a range with high < low, or that allows a scale or zoom-out of 0 or
/// less.
AffineStep random_affine(const AffineRanges& ranges);

/// Pastes the image at a random whole position on a canvas `ratio` times as large (sides rounded down), outside of
/// which and around the image is border, and shrinks the canvas to the image's size (ChainerCV's random_expand, then a
/// bilinear resize at half-pixel centres). Throws Error for ratios below 1.
AffineStep random_expand(const Range& ratio);

/// Mirrors left and right with this probability. Throws Error unless it is in [0, 1].
AffineStep random_horizontal_flip(double probability = 0.5);

/// Pads all sides by `padding` pixels of border and cuts the image's size out at a random place. Throws Error for
/// negative padding.
AffineStep random_crop(std::int64_t padding);

}  // namespace deft
