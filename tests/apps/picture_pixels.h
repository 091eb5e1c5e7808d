// Looking at the pixels of pictures, uint8 [H, W, 3].
#pragma once

#include <vector>

#include "deft/apps/support/canvas.h"
#include "deft/core/tensor.h"

#include "catch.h"

/// Where nothing can be drawn, says that the test is left out.
inline bool without_cairo() {
  if (!deft::support::can_draw()) deft::testing::skip("built without cairo");
  return !deft::support::can_draw();
}

using Rgb = std::vector<int>;

inline const Rgb white_pixel{255, 255, 255};

inline Rgb pixel(const deft::Tensor& pixels, std::int64_t x, std::int64_t y) {
  const std::uint8_t* const from = pixels.data<std::uint8_t>() + (y * pixels.size(1) + x) * 3;
  return {from[0], from[1], from[2]};
}

/// Pixels that are not white.
inline std::int64_t inked(const deft::Tensor& pixels) {
  std::int64_t count = 0;
  for (std::int64_t y = 0; y < pixels.size(0); ++y) {
    for (std::int64_t x = 0; x < pixels.size(1); ++x) count += pixel(pixels, x, y) != white_pixel;
  }
  return count;
}

/// Of those, the ones at the four edges, where nothing is drawn: a text that is cut off ends there.
inline std::int64_t inked_at_edges(const deft::Tensor& pixels) {
  const std::int64_t bottom = pixels.size(0) - 1, right = pixels.size(1) - 1;
  std::int64_t count = 0;
  for (std::int64_t x = 0; x <= right; ++x) {
    count += (pixel(pixels, x, 0) != white_pixel) + (pixel(pixels, x, bottom) != white_pixel);
  }
  for (std::int64_t y = 0; y <= bottom; ++y) {
    count += (pixel(pixels, 0, y) != white_pixel) + (pixel(pixels, right, y) != white_pixel);
  }
  return count;
}
