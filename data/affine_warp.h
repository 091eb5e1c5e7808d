// Warping a batch of images, each with its own affine matrix.
#pragma once

#include <cstdint>
#include <vector>

#include "deft/core/tensor.h"
#include "deft/kernels/affine_warp.h"

namespace deft {

/// Lists of numbers per channel may be empty (the default) or hold one number for all channels.
struct AffineWarpOptions {
  Interpolation interpolation = Interpolation::nearest;
  Border border = Border::constant;
  std::vector<double> fill = {};   ///< per channel, what Border::constant puts outside; default 0
  std::vector<double> scale = {};  ///< per channel, each pixel becomes scale · pixel + shift before the warp; default 1
  std::vector<double> shift = {};  ///< per channel; default 0
  std::int64_t height = 0;         ///< of the output; 0 stands for the input's
  std::int64_t width = 0;
  DType dtype = DType::float32;  ///< of the result for uint8 images; floating images keep theirs
};

/// Warps images [N, H, W, C] (uint8 or floating) with matrices [N, 2, 3] (floating, the images' device) into
/// [N, height, width, C]. A matrix takes a position in the output to one in the input, both in pixels from the image's
/// centre: [x_in, y_in] = M · [x_out, y_out, 1]. Nearest is torchvision's transforms.functional.affine to the bit, in
/// the result's type. Gradients do not flow through. Throws Error for shapes, types or lists that do not fit.
///
/// Normalising uint8 images to (x/255 − mean)/std: `.scale = {1 / (255 · std)}, .shift = {−mean / std}`.
Tensor affine_warp(const Tensor& images, const Tensor& matrices, const AffineWarpOptions& options = {});

}  // namespace deft
