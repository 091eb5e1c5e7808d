// Drawing: what stands where in the pixels, and that other readers take the files.
#include "deft/apps/support/canvas.h"

#include <cmath>

#include "deft/apps/support/chart.h"
#include "deft/core/file.h"
#include "deft/data/image.h"
#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "picture_pixels.h"
#include "temporary_directory.h"

using namespace deft;
using namespace deft::support;
using Catch::Matchers::Contains;

namespace {

Tensor two_by_two() {
  Tensor image = empty({2, 2, 3}, {.dtype = DType::uint8, .device = Device::cpu()});
  const std::uint8_t values[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30};
  std::copy(std::begin(values), std::end(values), image.mutable_data<std::uint8_t>());
  return image;
}

}  // namespace

TEST_CASE("shapes stand where they are drawn", "[cpu]") {
  if (without_cairo()) return;
  Canvas canvas(40, 20);
  canvas.fill({10, 5, 4, 3}, {1, 0, 0});
  canvas.line({{0, 15.5}, {20, 15.5}, {NAN, 0}, {30, 15.5}, {40, 15.5}}, {.color = {0, 0, 1}, .width = 1});
  canvas.disc({30, 8}, 3, {0, 1, 0});
  const Tensor pixels = canvas.pixels();
  REQUIRE(pixels.shape() == Shape{20, 40, 3});
  CHECK(pixel(pixels, 10, 5) == Rgb{255, 0, 0});
  CHECK(pixel(pixels, 13, 7) == Rgb{255, 0, 0});
  CHECK(pixel(pixels, 14, 7) == Rgb{255, 255, 255});
  CHECK(pixel(pixels, 13, 8) == Rgb{255, 255, 255});
  CHECK(pixel(pixels, 5, 15) == Rgb{0, 0, 255});
  CHECK(pixel(pixels, 25, 15) == Rgb{255, 255, 255});
  CHECK(pixel(pixels, 35, 15) == Rgb{0, 0, 255});
  CHECK(pixel(pixels, 30, 8) == Rgb{0, 255, 0});
  CHECK(canvas.pixels(2).shape() == Shape{40, 80, 3});
}

TEST_CASE("a picture is white up to its edges, whatever its size and resolution", "[cpu]") {
  if (without_cairo()) return;
  const Canvas canvas(10.8, 5.6);
  CHECK(canvas.pixels().shape() == Shape{6, 11, 3});
  for (const double scale : {1.0, 1.5, 2.0}) CHECK(inked(canvas.pixels(scale)) == 0);
}

TEST_CASE("pixels of an image stay squares", "[cpu]") {
  if (without_cairo()) return;
  Canvas canvas(12, 10);
  canvas.image(two_by_two(), {1, 1, 8, 8});
  const Tensor pixels = canvas.pixels();
  for (std::int64_t x : {1, 4}) CHECK(pixel(pixels, x, 4) == Rgb{255, 0, 0});
  for (std::int64_t x : {5, 8}) CHECK(pixel(pixels, x, 1) == Rgb{0, 255, 0});
  CHECK(pixel(pixels, 2, 5) == Rgb{0, 0, 255});
  CHECK(pixel(pixels, 8, 8) == Rgb{10, 20, 30});
  CHECK(pixel(pixels, 9, 4) == Rgb{255, 255, 255});
  CHECK_THROWS_WITH(canvas.image(zeros({2, 2, 3}), {0, 0, 2, 2}), Contains("expected uint8 [H, W, 1] or [H, W, 3]"));
}

TEST_CASE("text has the width that is told, and stands where it is aligned to", "[cpu]") {
  if (without_cairo()) return;
  Canvas canvas(200, 40);
  CHECK(canvas.text_width("wwww") > canvas.text_width("ii"));
  canvas.text({190, 20}, "right", {.align = Align::right});
  const Tensor pixels = canvas.pixels();
  std::int64_t left = 200, right = 0;
  for (std::int64_t y = 0; y < 40; ++y) {
    for (std::int64_t x = 0; x < 200; ++x) {
      if (pixel(pixels, x, y) == Rgb{255, 255, 255}) continue;
      left = std::min(left, x);
      right = std::max(right, x);
    }
  }
  CHECK(right <= 191);
  CHECK(right >= 185);
  CHECK(std::abs(static_cast<double>(right - left) - canvas.text_width("right")) < 5);
}

TEST_CASE("PNG files decode to the pixels, SVG documents name their size", "[cpu]") {
  if (without_cairo()) return;
  const TemporaryDirectory folder;
  Canvas page(30, 10);
  page.image(two_by_two(), {18, 0, 12, 10});
  write_file(folder.path("picture.png"), page.png());
  const Tensor read = load_image(folder.path("picture.png"));
  REQUIRE(read.shape() == Shape{10, 30, 3});
  CHECK(pixel(read, 17, 0) == Rgb{255, 255, 255});
  CHECK(pixel(read, 18, 0) == Rgb{255, 0, 0});
  CHECK(pixel(read, 29, 9) == Rgb{10, 20, 30});
  CHECK_THAT(page.svg(), Contains("<svg") && Contains("viewBox=\"0 0 30 10\"") && Contains("</svg>"));
}

TEST_CASE("ticks are round and cover the range", "[cpu]") {
  CHECK(round_ticks(0, 10, 5) == std::vector<double>{0, 2, 4, 6, 8, 10});
  CHECK(round_ticks(1, 14, 7) == std::vector<double>{0, 2, 4, 6, 8, 10, 12, 14});
  CHECK(round_ticks(-3, 42, 5) == std::vector<double>{-10, 0, 10, 20, 30, 40, 50});
  const std::vector<double> fine = round_ticks(0.871, 0.934, 7);
  CHECK(fine.front() == Approx(0.87));
  CHECK(fine.back() == Approx(0.94));
  CHECK(fine.size() == 8);
  CHECK(round_ticks(3, 3, 4).front() <= 3);
  CHECK(round_ticks(0, 0, 4).back() >= 0);
  // As the mean of eleven equal numbers may be.
  CHECK(round_ticks(12.5, std::nextafter(12.5, 13), 4) == round_ticks(12.5, 12.5, 4));
}

TEST_CASE("charts draw their lines, bars and counts", "[cpu]") {
  if (without_cairo()) return;
  LineChart chart{"loss", "epoch", "cross entropy", {{"training", {{1, 2}, {2, 1}, {3, 0.5}}, false, 0}}};
  const std::int64_t one_line = inked(draw(chart).pixels());
  chart.series.push_back({"test", {{1, 1.8}, {2, NAN}, {3, 0.7}}, true, 1});
  CHECK(inked(draw(chart).pixels()) > one_line);
  chart.series = {{"nothing", {{1, NAN}}, false, 0}};
  CHECK_THROWS_WITH(draw(chart), Contains("chart 'loss': there is no finite point"));

  // The second bar is twice as high as the first.
  const BarChart bars{"accuracy", "scale", "%", {"0.5", "1.0"}, {{"regular", {40, 80}}}};
  const Tensor pixels = draw(bars).pixels();
  std::vector<std::int64_t> heights;
  for (std::int64_t x : {230, 600}) {
    std::int64_t height = 0;
    for (std::int64_t y = 0; y < pixels.shape()[0] - 60; ++y) height += pixel(pixels, x, y) == Rgb{0, 115, 179};
    heights.push_back(height);
  }
  CHECK(heights[0] > 100);
  CHECK(std::abs(heights[1] - 2 * heights[0]) <= 2);
  CHECK_THROWS_WITH(draw(BarChart{"b", "", "", {"0.5"}, {{"regular", {1, 2}}}}),
                    Contains("regular has 2 values for 1 labels"));
}
