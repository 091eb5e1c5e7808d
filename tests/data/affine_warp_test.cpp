// The tensor-level warp: what it hands to the kernel, and what it refuses.
#include "deft/data/affine_warp.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Equals;

namespace {

Tensor shift_right(std::int64_t images) {
  const Tensor matrices = zeros({images, 2, 3});
  for (std::int64_t i = 0; i < images; ++i) {
    alias(matrices, {2, 3}, 6 * i).copy_(from_vector(std::vector<float>{1, 0, -1, 0, 1, 0}, {2, 3}));
  }
  return matrices;
}

}  // namespace

TEST_CASE("uint8 images are normalised per channel, filled and warped") {
  const Tensor images = from_vector(std::vector<std::uint8_t>{0, 10, 100, 20}, {1, 1, 2, 2});
  const Tensor warped = affine_warp(images, shift_right(1), {.fill = {-1, -2}, .scale = {0.5, 2}, .shift = {0, 1}});
  CHECK(warped.shape() == Shape{1, 1, 2, 2});
  CHECK(warped.to_vector<float>() == std::vector<float>{-1, -2, 0, 21});
  const Tensor doubled = affine_warp(images, shift_right(1), {.fill = {9}, .dtype = DType::float64});
  CHECK(doubled.to_vector<double>() == std::vector<double>{9, 9, 0, 10});
}

TEST_CASE("floating images keep their type, and the output may have another size") {
  const Tensor images = from_vector(std::vector<double>{1, 2, 3, 4}, {1, 2, 2, 1});
  const Tensor half = from_vector(std::vector<double>{0.5, 0, 0, 0, 0.5, 0}, {1, 2, 3});
  const Tensor larger = affine_warp(images, half, {.height = 4, .width = 4});
  CHECK(larger.to_vector<double>() == std::vector<double>{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4});
  const Tensor edge = affine_warp(images, shift_right(1), {.border = Border::replicate});
  CHECK(edge.to_vector<double>() == std::vector<double>{1, 1, 3, 3});
}

TEST_CASE("the warp says what does not fit") {
  const Tensor images = zeros({2, 3, 3, 2});
  CHECK_THROWS_WITH(affine_warp(zeros({3, 3}), shift_right(2)),
                    Equals("affine_warp: images is [3, 3], expected [N, H, W, C]"));
  CHECK_THROWS_WITH(affine_warp(images, shift_right(1)),
                    Equals("affine_warp: matrices is [1, 2, 3], expected [2, 2, 3] (one per image)"));
  CHECK_THROWS_WITH(affine_warp(images, shift_right(2), {.fill = {1, 2, 3}}),
                    Equals("affine_warp: fill has 3 values, expected 1 or 2 (channels)"));
  CHECK_THROWS_WITH(affine_warp(zeros({1, 0, 3, 1}), shift_right(1), {.border = Border::replicate}),
                    Equals("affine_warp: images is [1, 0, 3, 1]: no pixel to replicate"));
  CHECK(affine_warp(zeros({0, 3, 3, 2}), zeros({0, 2, 3})).shape() == Shape{0, 3, 3, 2});
}
