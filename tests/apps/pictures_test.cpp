// Pictures of nets and images by their pixels. Images are blue, which nothing else in a picture is.
#include <algorithm>
#include <cmath>

#include "deft/apps/pictures/image_grid.h"
#include "deft/apps/pictures/receptive_field_picture.h"
#include "deft/apps/pictures/sampling_points.h"
#include "deft/data/affine.h"
#include "deft/layers/adaptive_avg_pool2d.h"
#include "deft/layers/init.h"

#include "catch.h"
#include "picture_pixels.h"
#include "planted_offsets.h"
#include "test_device.h"

using namespace deft;
using namespace deft::apps;

namespace {

const Device device = deft::testing::test_device();
constexpr std::int64_t side = 8;
const Rgb blue{0, 0, 255}, red{255, 0, 0};

struct OneConv : Module {
  DeformConv2d conv = add("conv", DeformConv2d(3, 2, {.padding = 1}));

  OneConv(double dy, double dx) {
    init::constant_(conv.weight.get(), 1);
    plant(conv, dy, dx);
    to(device);
  }
  Tensor forward(const Tensor& x) override { return global_avg_pool2d(conv(x)); }
};

Tensor blue_image() {
  std::vector<float> values;
  for (std::int64_t i = 0; i < side * side; ++i) values.insert(values.end(), {0, 0, 1});
  return from_vector(values, {1, side, side, 3}, device);
}

// All pairs of these coordinates.
std::vector<Position> grid(double first_y, double last_y, double first_x, double last_x) {
  std::vector<Position> positions;
  for (double y = first_y; y <= last_y; ++y) {
    for (double x = first_x; x <= last_x; ++x) positions.push_back({y, x});
  }
  return positions;
}

// There is a dot on each of these positions of the blue image, and no dot reaches farther than `radius` of its pixels from
// all of them. The legend is not looked at.
void check_dots(const Tensor& picture, const std::vector<Position>& expected, double radius) {
  const auto is_dot = [&](std::int64_t x, std::int64_t y) {
    const Rgb color = pixel(picture, x, y);
    return color[0] > 250 && std::abs(color[1] - 84) <= 2 && std::abs(color[2] - 26) <= 2;
  };
  std::int64_t left = picture.size(1), top = picture.size(0), right = 0, bottom = 0;
  for (std::int64_t y = 0; y < picture.size(0); ++y) {
    for (std::int64_t x = 0; x < picture.size(1); ++x) {
      if (pixel(picture, x, y) != blue) continue;
      left = std::min(left, x), right = std::max(right, x + 1);
      top = std::min(top, y), bottom = std::max(bottom, y + 1);
    }
  }
  REQUIRE(right - left == bottom - top);
  REQUIRE(right > left);
  const double scale = static_cast<double>(right - left) / side;
  for (const Position& at : expected) {
    INFO(at.y << ", " << at.x);
    CHECK(is_dot(left + std::lround((at.x + 0.5) * scale), top + std::lround((at.y + 0.5) * scale)));
  }
  std::int64_t stray = 0;
  const std::int64_t looked_at = std::min(bottom + std::lround(scale), picture.size(0));
  for (std::int64_t y = 0; y < looked_at; ++y) {
    for (std::int64_t x = 0; x < picture.size(1); ++x) {
      const auto near = [&](const Position& at) {
        return std::hypot(static_cast<double>(y - top) / scale - 0.5 - at.y,
                          static_cast<double>(x - left) / scale - 0.5 - at.x) < radius;
      };
      stray += is_dot(x, y) && std::none_of(expected.begin(), expected.end(), near);
    }
  }
  CHECK(stray == 0);
}

}  // namespace

TEST_CASE("the sampling points of a cell are drawn where its taps read") {
  if (without_cairo()) return;
  OneConv net(1, -2);
  const Tensor picture =
      draw_sampling_points(net, blue_image(), {}, {.view = SamplingView::traced, .image_size = 400}).pixels();
  check_dots(picture, grid(4, 6, 1, 3), 0.15);  // of the cell 4, 4
  CHECK(inked_at_edges(picture) == 0);
}

TEST_CASE("the taps of all cells of a layer are drawn as far as the frame reaches") {
  if (without_cairo()) return;
  OneConv net(0.5, -1.5);
  const SamplingPicture picture{.thresholds = {1.5}, .view = SamplingView::layers, .image_size = 400};
  const Tensor drawn = draw_sampling_points(net, blue_image(), {}, picture).pixels();
  check_dots(drawn, grid(-0.5, 7.5, -0.5, 6.5),
             0.15);  // the frame ends before the columns -2.5 and -1.5 and the row 8.5
  SamplingPicture longer = picture;
  longer.thresholds = {1.6};
  check_dots(draw_sampling_points(net, blue_image(), {}, longer).pixels(), {}, 0);
}

TEST_CASE("sampling points have white edges at every size") {
  if (without_cairo()) return;
  OneConv net(0, 0);
  for (const double size : {28.0, 84.0, 364.0, 419.7}) {
    INFO(size);
    CHECK(inked_at_edges(draw_sampling_points(net, blue_image(), {}, {.image_size = size}).pixels()) == 0);
  }
}

TEST_CASE("a receptive field is drawn on the pixels that it is of, and its texts are not cut off") {
  if (without_cairo()) return;
  OneConv net(1, -2);
  const Tensor image = blue_image();
  const ReceptiveField field = receptive_field(net, image);
  FieldPicture picture{.title = "a title", .fields = {{"a net", field}}, .image_size = 400, .legend = false};
  const Tensor drawn = draw_receptive_fields(image_bytes(image, {}), picture).pixels();
  check_dots(drawn, grid(4, 6, 1, 3), 0.5);
  CHECK(inked_at_edges(drawn) == 0);
  for (const double size : {28.0, 420.0}) {
    for (const bool legend : {true, false}) {
      picture.image_size = size, picture.legend = legend;
      picture.title =
          legend ? "a title that is longer than all that stands below it, however small the image may be" : "";
      const support::Canvas canvas = draw_receptive_fields(image_bytes(image, {}), picture);
      CHECK(inked_at_edges(canvas.pixels()) == 0);
    }
  }
}

TEST_CASE("a grid shows all forms of an image side by side, or images one after another", "[cpu]") {
  if (without_cairo()) return;
  // A blue and a red one.
  std::vector<std::uint8_t> bytes;
  for (const Rgb& color : {blue, red}) {
    for (std::int64_t i = 0; i < side * side; ++i) {
      for (const int value : color) bytes.push_back(static_cast<std::uint8_t>(value));
    }
  }
  const Dataset set{.name = "colours",
                    .images = from_vector(bytes, {2, side, side, 3}, Device::cpu()),
                    .labels = from_vector<std::int64_t>({0, 1}, {2}, Device::cpu()),
                    .class_names = {"a class with quite a long name", "b"}};
  const auto areas = [&](const ImageGrid& grid) {
    const Tensor picture = draw_images(set, grid).pixels();
    CHECK(inked_at_edges(picture) == 0);
    std::vector<int> counts(2);
    for (std::int64_t y = 0; y < picture.size(0); ++y) {
      for (std::int64_t x = 0; x < picture.size(1); ++x) {
        counts[0] += pixel(picture, x, y) == blue, counts[1] += pixel(picture, x, y) == red;
      }
    }
    return counts;
  };
  constexpr int whole = 40 * 40, half = 20 * 20;
  Transform shrunk;
  shrunk.steps = {random_affine({.scale = 0.5})};
  shrunk.interpolation = Interpolation::nearest;
  ImageGrid grid{.title = "a title", .forms = training_forms(shrunk, 1, 2), .rows = 2, .columns = 2, .size = 40};
  CHECK(areas(grid) == std::vector<int>{whole + half, whole + half});
  grid.forms = training_forms(shrunk, 1, 4);
  CHECK(areas(grid) == std::vector<int>{whole + 3 * half, whole + 3 * half});
  grid.first = 1;
  CHECK(areas(grid) == std::vector<int>{0, whole + 3 * half});
  grid.first = 0;
  grid.forms = training_forms({}, 1, 4);
  grid.title = "";
  CHECK(areas(grid) == std::vector<int>{whole, whole});
  grid.columns = 1, grid.rows = 1;
  CHECK(areas(grid) == std::vector<int>{whole, 0});
}
