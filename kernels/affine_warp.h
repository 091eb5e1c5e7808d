// Contract of the kernel that warps a batch of images, each with its own affine matrix.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/contract.h"

namespace deft {

/// How a value between pixels is found.
enum class Interpolation {
  nearest,   ///< the nearest pixel; half-way coordinates round to the even one
  bilinear,  ///< weighted mean of the four pixels around
};

/// What stands outside the image.
enum class Border {
  constant,   ///< a constant per channel
  replicate,  ///< the nearest pixel of the border
};

namespace kernels {

/// Sizes and options of a batch of warps.
///
/// input  [n, h, w, c]  uint8 or floating
/// matrix [n, 2, 3]     where each output pixel comes from, in pixels, both sides measured from the image's centre:
///                      x_in − (w − 1)/2 = m00 · (x_out − (w_out − 1)/2) + m01 · (y_out − (h_out − 1)/2) + m02,
///                      and m10, m11, m12 likewise give y_in
/// scale, shift, fill [c]
/// output [n, h_out, w_out, c]
///
/// A pixel's value is scale[channel] · input + shift[channel]; `fill` is in terms of these values and null for
/// Border::replicate. Any size may be zero, but an image of no pixels has no border to replicate. Positions are tested
/// before any conversion to an integer; a NaN position counts as outside, for Border::replicate as 0.
struct AffineWarpShape {
  std::int64_t n = 0, h = 0, w = 0, c = 0;
  std::int64_t h_out = 0, w_out = 0;
  Interpolation interpolation = Interpolation::nearest;
  Border border = Border::constant;
};

/// Warps every image with the arithmetic of torchvision's transforms.functional.affine, which decides coordinates that
/// lie exactly between two pixels: in type T, the matrix is divided by (w/2, h/2), applied to the centred output
/// position as (x · m00 + y · m01) + m02, and the result u gives the coordinate ((u + 1) · w − 1) / 2, each operation
/// rounded by itself (no fused multiply-add). Bilinear interpolation takes pixels outside the image as fill, so that an
/// image in the colour of the fill stays as it is; torchvision instead multiplies the pixels inside with their total
/// weight once more. Overwrites `output`.
DEFT_CONTRACT((class In, class T), void, affine_warp, const AffineWarpShape& shape, const In* input, const T* matrix,
              const T* scale, const T* shift, const T* fill, T* output);

}  // namespace kernels
}  // namespace deft
