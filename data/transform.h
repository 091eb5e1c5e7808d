// From bytes to what a network takes: augmentation and normalisation of a batch.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "deft/core/tensor.h"
#include "deft/data/affine.h"
#include "deft/kernels/affine_warp.h"

namespace deft {

/// What happens to images on their way into a batch: all steps are composed to one matrix per image and carried out by
/// one warp, then pixels become (pixel / 255 − mean) / std. Without steps no warp takes place. Example, CIFAR-10's
/// usual augmentation: `{.steps = {random_crop(4), random_horizontal_flip()}, .interpolation =
/// Interpolation::nearest}`.
struct Transform {
  std::vector<AffineStep> steps = {};
  Interpolation interpolation = Interpolation::bilinear;  ///< flips and crops alone are exact with nearest
  Border border = Border::constant;
  std::optional<double> fill = {};  ///< outside the image under Border::constant, as a normalised value; default: black
  std::vector<double> mean = {0};   ///< per channel, or one for all
  std::vector<double> std = {1};
};

/// The images of `indices` out of the uint8 images [N, H, W, C], transformed: float32 [indices, H, W, C], on the device
/// of `images`. What is drawn for an image depends on seed, epoch and its index alone. Throws Error for images of
/// another type or shape, indices outside them, mean or std of other length than 1 or C, and std 0.
Tensor transform_images(const Tensor& images, const Transform& transform, const std::vector<std::int64_t>& indices,
                        std::uint64_t seed = 0, std::uint64_t epoch = 0);

/// The same for all images, with seed and epoch 0.
Tensor transform_images(const Tensor& images, const Transform& transform);

/// The bytes that `transform` made these values of: one image, floating [1, H, W, C], to uint8 [H, W, C] on the CPU.
Tensor image_bytes(const Tensor& image, const Transform& transform);

}  // namespace deft
