// Animations, read back by giflib's decoder.
#include "deft/apps/support/gif.h"

#include <cmath>

#include "deft/core/file.h"
#include "deft/core/tensor.h"
#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "read_gif.h"

using namespace deft;
using Catch::Matchers::Contains;

#ifdef DEFT_HAVE_GIFLIB

namespace {

Tensor frame(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  Tensor pixels = empty({5, 7, 3}, {.dtype = DType::uint8, .device = Device::cpu()});
  std::uint8_t* to = pixels.mutable_data<std::uint8_t>();
  for (int i = 0; i < 35; ++i) {
    // A white diagonal, so that each frame has two colours.
    const bool diagonal = i / 7 == i % 7;
    *to++ = diagonal ? 255 : red;
    *to++ = diagonal ? 255 : green;
    *to++ = diagonal ? 255 : blue;
  }
  return pixels;
}

}  // namespace

TEST_CASE("an animation holds its frames, their times and no end", "[cpu]") {
  const std::string bytes = support::gif({frame(200, 0, 0), frame(0, 0, 200)}, 0.25);
  CHECK_THAT(bytes, Contains("NETSCAPE2.0"));
  const auto file = read_gif(bytes);
  REQUIRE(file->ImageCount == 2);
  for (int i = 0; i < 2; ++i) {
    const SavedImage& image = file->SavedImages[i];
    REQUIRE(image.ImageDesc.Width == 7);
    REQUIRE(image.ImageDesc.Height == 5);
    GraphicsControlBlock control;
    REQUIRE(DGifSavedExtensionToGCB(file.get(), i, &control) == GIF_OK);
    CHECK(control.DelayTime == 25);
    const auto color = [&](int at) { return image.ImageDesc.ColorMap->Colors[image.RasterBits[at]]; };
    CHECK(int(color(1).Red) == (i == 0 ? 200 : 0));
    CHECK(int(color(1).Blue) == (i == 0 ? 0 : 200));
    // The diagonal stays as it was: it is in the first frame alone.
    CHECK((image.RasterBits[8] == control.TransparentColor) == (i == 1));
    if (i == 0) CHECK(int(color(8).Green) == 255);
  }
}

TEST_CASE("frequent colours of an animation stay exact, whatever the number of all", "[cpu]") {
  // A row of flat red over 1,024 colours.
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < 64; ++i) pixels.insert(pixels.end(), {201, 3, 5});
  for (int i = 0; i < 1024; ++i) {
    pixels.insert(pixels.end(), {static_cast<std::uint8_t>(i % 32 * 8), static_cast<std::uint8_t>(i / 32 * 8), 100});
  }
  const auto file = read_gif(support::gif({from_vector(pixels, {17, 64, 3}, Device::cpu())}, 1));
  const SavedImage& image = file->SavedImages[0];
  int worst = 0;
  for (std::size_t i = 0; i < 17 * 64; ++i) {
    const GifColorType color = image.ImageDesc.ColorMap->Colors[image.RasterBits[i]];
    const int distance = std::max({std::abs(color.Red - pixels[3 * i]), std::abs(color.Green - pixels[3 * i + 1]),
                                   std::abs(color.Blue - pixels[3 * i + 2])});
    if (i < 64) CHECK(distance == 0);
    worst = std::max(worst, distance);
  }
  CHECK(worst <= 48);  // 255 colours stand for 1,025
}

TEST_CASE("animations say what frames they do not take", "[cpu]") {
  CHECK_THROWS_WITH(support::gif({}, 1), "gif: there are no frames");
  CHECK_THROWS_WITH(support::gif({zeros({2, 2, 3})}, 1), Contains("a frame is float32 [2, 2, 3]"));
  CHECK_THROWS_WITH(support::gif({frame(0, 0, 0), zeros({4, 7, 3}, {.dtype = DType::uint8})}, 1),
                    Contains("the first is [5, 7, 3]"));
  for (const double seconds : {0.0, -1.0, 655.36, 1e300, std::nan("")}) {
    CHECK_THROWS_WITH(support::gif({frame(0, 0, 0)}, seconds),
                      Contains("gif: a frame is shown for ") && Contains(" seconds, expected 0.01 to 655.35"));
  }
  CHECK_NOTHROW(support::gif({frame(0, 0, 0)}, 655.35));
}

#else

TEST_CASE("a build without giflib makes no animations", "[cpu]") {
  CHECK_FALSE(support::can_animate());
  CHECK_THROWS_WITH(support::gif({}, 1), Contains("built without giflib"));
}

#endif
