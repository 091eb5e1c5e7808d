// Index arithmetic of the CUDA convolutions, called on the CPU, for shapes beyond 2³¹ elements as for small ones.
#include "deft/kernels/cuda/conv_panel.h"

#include <vector>

#include "catch.h"
#include "kernels/conv_cases.h"

using namespace deft;
using namespace deft::kernels;

namespace {

/// A batch of 12 GB in float32, its panels far larger.
Conv2dShape huge_shape(std::int64_t groups = 1) { return padded_3x3(50, 1000, 1000, 60, 90, groups); }

/// Elements of a tensor before (i, j, k, l), for sizes [.., b, c, d].
std::int64_t flat(std::int64_t i, std::int64_t j, std::int64_t b, std::int64_t k, std::int64_t c, std::int64_t l,
                  std::int64_t d) {
  return ((i * b + j) * c + k) * d + l;
}

void check_cover(const ConvGeometry& g, std::int64_t point_bytes) {
  const Panels panels(g, point_bytes);
  std::int64_t next = 0;
  for (std::int64_t i = 0; i < panels.count(); ++i) {
    const Points points = panels[i];
    REQUIRE(points.first == next);
    REQUIRE(points.count > 0);
    REQUIRE(points.count <= panels.largest());
    next += points.count;
    const std::int64_t per_image = g.rows * g.columns;
    if (panels.of_whole_images()) {
      REQUIRE(points.first % per_image == 0);
      REQUIRE(points.count % per_image == 0);
    } else {
      REQUIRE(points.first / per_image == (next - 1) / per_image);
    }
  }
  CHECK(next == g.points);
  CHECK(panels.largest() <= Panels::most_points);
  CHECK((panels.largest() <= 1 || panels.largest() * point_bytes <= Panels::most_bytes));
}

}  // namespace

TEST_CASE("panels cover all points, each of whole images or of one") {
  for (const NamedShape& named : conv_shapes()) {
    INFO(named.name);
    const ConvGeometry g(named.shape);
    for (std::int64_t bytes : {std::int64_t{0}, std::int64_t{4}, g.panel_row() * 8, std::int64_t{1} << 20,
                               std::int64_t{3} << 22, std::int64_t{1} << 40}) {
      check_cover(g, bytes);
    }
  }
  const ConvGeometry huge(huge_shape());
  check_cover(huge, huge.panel_row() * 4);
  check_cover(huge, 0);
  CHECK(Panels(huge, 0).count() == 1);
  const ConvGeometry pointwise(Conv2dShape{3, 40'000, 40'000, 1, 1});
  check_cover(pointwise, 0);
  CHECK(Panels(pointwise, 0).count() == 6);
}

TEST_CASE("entries of a panel are in the order of offsets") {
  Conv2dShape shape = padded_3x3(2, 3, 4, 12, 4);
  const ConvGeometry g(shape, 3);
  std::int64_t i = 0;
  for (std::int64_t point = 0; point < 5; ++point) {
    for (std::int64_t group = 0; group < 3; ++group) {
      for (std::int64_t tap = 0; tap < 9; ++tap, ++i) {
        const PanelEntry entry = panel_entry(g, {7, 5}, i);
        REQUIRE(entry.index == flat(0, 7 + point, 1, group, 3, tap, 9));
        REQUIRE(entry.point == point);
        REQUIRE(entry.tap == tap);
        REQUIRE(entry.channel == 4 * group);
      }
    }
  }
}

TEST_CASE("panels hold groups, points, taps and channels in this order") {
  const ConvGeometry g(padded_3x3(2, 3, 4, 6, 4, 2));
  std::int64_t next = 0;
  for (std::int64_t group = 0; group < 2; ++group) {
    for (std::int64_t point = 0; point < 5; ++point) {
      for (std::int64_t tap = 0; tap < 9; ++tap) {
        for (std::int64_t channel = 3 * group; channel < 3 * group + 3; ++channel) {
          REQUIRE(panel_element(g, 5, point, tap, channel) == next++);
        }
      }
    }
  }
}

TEST_CASE("indices of convolutions hold beyond 32 bits") {
  const Conv2dShape shape = huge_shape(3);
  const ConvGeometry g(shape, 2);
  REQUIRE(g.points == 50'000'000);
  const OutputPixel last = output_pixel(g, g.points - 1);
  CHECK((last.image == 49 && last.row == 999 && last.column == 999));
  CHECK(input_element(shape, 49, 999, 999, 59) == 2'999'999'999);
  // All points in one panel: 27 billion elements.
  CHECK(panel_element(g, g.points, g.points - 1, 8, 59) == 26'999'999'999);
  CHECK(panel_element(g, g.points, 0, 0, 20) == 9'000'000'000);
  const PanelEntry entry = panel_entry(g, {g.points - 10, 10}, 10 * 18 - 1);
  CHECK(entry.index == 899'999'999);
  const PanelEntry far = panel_entry(g, {0, g.points}, g.points * 18 - 10);
  CHECK((far.point == g.points - 1 && far.tap == 8 && far.channel == 0));
  const ConvGeometry larger(Conv2dShape{7, 100'000, 70'000, 1, 1});
  const OutputPixel end = output_pixel(larger, larger.points - 70'001);
  CHECK((end.image == 6 && end.row == 99'998 && end.column == 69'999));
}
