// The steps of transform_images one by one, for the loader, which takes them on several threads and devices.
#pragma once

#include <cstdint>
#include <vector>

#include "deft/data/transform.h"

namespace deft {

/// The matrices that are drawn for the images of `indices`: float32 [indices, 2, 3] on the CPU; without steps, ones
/// that move nothing.
Tensor draw_matrices(const Transform& transform, const ImageSize& size, const std::vector<std::int64_t>& indices,
                     std::uint64_t seed, std::uint64_t epoch);

/// uint8 images [N, H, W, C] moved by the matrices [N, 2, 3] on the same device and normalised.
Tensor move_images(const Tensor& images, const Tensor& matrices, const Transform& transform);

}  // namespace deft
