// Where taps lie on the image, against positions computed by hand.
#include "deft/apps/pictures/sampling_map.h"

#include <algorithm>
#include <cmath>

#include "deft/apps/pictures/receptive_field.h"
#include "deft/apps/pictures/sampling_points.h"
#include "deft/core/shape_ops.h"
#include "deft/layers/activation.h"
#include "deft/layers/adaptive_avg_pool2d.h"
#include "deft/layers/deform_conv2d.h"
#include "deft/layers/flatten.h"
#include "deft/layers/init.h"
#include "deft/layers/linear.h"
#include "deft/layers/max_pool2d.h"

#include "catch.h"
#include "picture_pixels.h"
#include "planted_offsets.h"
#include "test_device.h"

using namespace deft;
using namespace deft::apps;
using Catch::Matchers::Contains;

namespace {

const Device device = deft::testing::test_device();

// Two deformable convolutions with a pooling below each: their cells lie 4 and 2 pixels apart on the image.
struct Net : Module {
  explicit Net(bool modulated = false)
      : low(add("low", DeformConv2d(1, 2, {.padding = 1, .modulated = modulated}))),
        high(add("high", DeformConv2d(2, 3, {.padding = 1, .modulated = modulated}))) {
    to(device);
  }
  Tensor forward(const Tensor& x) override {
    Tensor h = max_pool2d(x, {.kernel_size = 2});
    h = max_pool2d(relu(low(h)), {.kernel_size = 2});
    return global_avg_pool2d(relu(high(h)));
  }

  DeformConv2d low, high;
};

Tensor image(std::int64_t side) { return ones({1, side, side, 1}, {.device = device}); }

std::vector<std::pair<double, double>> sorted(const std::vector<SamplingPoint>& points) {
  std::vector<std::pair<double, double>> list;
  for (const SamplingPoint& point : points) list.emplace_back(point.at.y, point.at.x);
  std::sort(list.begin(), list.end());
  return list;
}

}  // namespace

TEST_CASE("without offsets taps lie on the regular grid") {
  Net net;
  const SamplingMap map(net, image(16));
  CHECK(map.names() == std::vector<std::string>{"low", "high"});
  CHECK(map.output().shape()[0] == 1);
  CHECK(map.layer("high").height == 4);

  // A cell c of low is taps c − 1, c, c + 1, and the middle of two pixels of the image each: 2c + 0.5.
  std::vector<std::pair<double, double>> expected;
  for (const double y : {2.5, 4.5, 6.5}) {
    for (const double x : {6.5, 8.5, 10.5}) expected.emplace_back(y, x);
  }
  CHECK(sorted(map.trace("low", {2, 4})) == expected);

  // From high on there are 9 times 9 points: every fourth pixel, and two pixels to both sides of it.
  const auto points = sorted(map.trace("high", {1, 2}));
  CHECK(points.size() == 81);
  CHECK(points.front() == std::pair(1.5 - 2, 5.5 - 2));
  CHECK(points.back() == std::pair(9.5 + 2, 13.5 + 2));
  CHECK(map.on_image("high", {1, 2}).y == 5.5);
  CHECK(map.on_image("high", {1, 2}).x == 9.5);
  CHECK(sorted(map.trace("high", {1, 2}, false)) == points);
}

TEST_CASE("a planted offset moves points by itself times the strides below") {
  Net net;
  plant(net.low, 0.25, -0.5);
  plant(net.high, -0.5, 0.25);
  const SamplingMap map(net, image(32));
  const auto regular = map.trace("high", {3, 4}, false), sampled = map.trace("high", {3, 4});
  REQUIRE(sampled.size() == 81);
  for (std::size_t i = 0; i < sampled.size(); ++i) {
    CHECK(sampled[i].at.y - regular[i].at.y == Approx(4 * -0.5 + 2 * 0.25));
    CHECK(sampled[i].at.x - regular[i].at.x == Approx(4 * 0.25 + 2 * -0.5).margin(1e-6));
  }
  const std::vector<Tap> taps = map.taps("high");
  REQUIRE(taps.size() == 8 * 8 * 9);
  for (const Tap& tap : taps) CHECK(tap.length == Approx(4 * std::hypot(0.5, 0.25)));
  CHECK(taps[9 * 8 + 4].regular.y == 5.5);  // the middle tap of the cell 1, 0
  CHECK(taps[9 * 8 + 4].sampled.y == Approx(3.5));
}

TEST_CASE("taps in the padding of a layer above the image see nothing") {
  Net net;
  const SamplingMap map(net, image(16));
  CHECK(map.trace("low", {0, 0}).size() == 4);       // five of the nine taps of the corner lie in the padding
  CHECK(map.trace("high", {0, 0}).size() == 4 * 9);  // again, and what is left sees nothing of it
}

TEST_CASE("masks multiply on the way down") {
  Net net(true);
  const SamplingMap map(net, image(16));
  for (const SamplingPoint& point : map.trace("high", {2, 2})) CHECK(point.mask == Approx(0.25));  // sigmoid(0)²
  CHECK(map.taps("low").front().mask == Approx(0.5));
}

TEST_CASE("offsets between cells are interpolated, and strides, paddings and dilations count") {
  WindowLayer layer{.name = "",
                    .height = 1,
                    .width = 2,
                    .geometry = {.kernel_h = 1,
                                 .kernel_w = 2,
                                 .stride_h = 2,
                                 .stride_w = 3,
                                 .pad_top = 1,
                                 .pad_left = 0,
                                 .dilation_h = 1,
                                 .dilation_w = 2},
                    .offsets = {1, 2, 3, 4, 10, 20, 30, 40},
                    .taps = 2};
  CHECK(layer.regular({3, 4}, 1).y == 3 * 2 - 1);
  CHECK(layer.regular({3, 4}, 1).x == 4 * 3 + 2);
  CHECK(layer.middle({3, 4}).x == 4 * 3 + 1);
  CHECK(layer.offset({0, 0.25}, 1).y == Approx(0.75 * 3 + 0.25 * 30));
  CHECK(layer.offset({0, 0.25}, 1).x == Approx(0.75 * 4 + 0.25 * 40));
  CHECK(layer.offset({-0.5, 1.5}, 0).y == 10);
  CHECK(layer.mask({0, 0}, 0) == 1);
}

TEST_CASE("sampling points are asked of nets that have some") {
  struct Regular : Module {
    Conv2d conv = add("conv", Conv2d(1, 2));
    Tensor forward(const Tensor& x) override { return conv(x); }
  };
  struct Flat : Module {
    Linear fc = add("fc", Linear(64, 64));
    DeformConv2d conv = add("conv", DeformConv2d(1, 2));
    Tensor forward(const Tensor& x) override { return conv(reshape(fc(flatten(x, 1)), {1, 8, 8, 1})); }
  };
  Regular regular;
  Flat flat;
  Net net;
  const Tensor pixels = ones({1, 8, 8, 1});
  CHECK_THROWS_WITH(SamplingMap(regular, pixels), Contains("no deformable convolution"));
  CHECK_THROWS_WITH(SamplingMap(flat, pixels), Contains("cannot follow positions through reshape"));
  CHECK_THROWS_WITH(SamplingMap(net, ones({2, 8, 8, 1})), Contains("[2, 8, 8, 1]"));
  CHECK_THROWS_WITH(SamplingMap(net, image(16)).trace("fc", {}), Contains("'fc', it has low, high"));
}

TEST_CASE("the default threshold leaves about a tenth, and some where all offsets are alike") {
  Net net;
  plant(net.low, 1.5, 2);  // 2.5 cells of 2 pixels
  const std::vector<double> thresholds = longest_tenth(SamplingMap(net, image(16)));
  REQUIRE(thresholds.size() == 2);
  CHECK(thresholds[0] == Approx(4.9));
  CHECK(thresholds[1] == 0);
}

TEST_CASE("a picture is drawn of what is there") {
  Net net;
  plant(net.high, 1, 1);
  if (without_cairo()) return;
  const Tensor one = image(16);
  const support::Canvas canvas = draw_sampling_points(net, one, {}, {.subject = "a test", .label = 0});
  CHECK(canvas.width() > 3 * 420);
  CHECK(canvas.png().substr(1, 3) == "PNG");
  CHECK_THROWS_WITH(draw_sampling_points(net, one, {}, {.cell = FeatureCell{4, 0}}),
                    Contains("cell 4,0 is not in the output of high, which has 4×4 cells"));
  CHECK_THROWS_WITH(draw_sampling_points(net, one, {}, {.layer = "fc"}), Contains("'fc'"));
  CHECK_THROWS_WITH(draw_sampling_points(net, one, {}, {.thresholds = {1, 2, 3}}),
                    Contains("one for each of low, high"));
}

TEST_CASE("the receptive field of a unit is where its gradient is not small") {
  struct OneConv : Module {
    DeformConv2d conv = add("conv", DeformConv2d(1, 2, {.padding = 1}));
    Tensor forward(const Tensor& x) override { return global_avg_pool2d(conv(x)); }
  };
  OneConv net;
  init::constant_(net.conv.weight.get(), 1);
  net.to(device);
  const auto marked = [&] {
    const ReceptiveField field = receptive_field(net, image(5));
    CHECK(field.cell_y == 2);
    CHECK(field.count() == 9);
    return std::find(field.marked.begin(), field.marked.end(), true) - field.marked.begin();
  };
  CHECK(marked() == 5 + 1);  // the square around the middle begins at 1, 1
  CHECK_FALSE(net.conv.weight.get().grad().defined());
  plant(net.conv, 1, -1);
  CHECK(marked() == 2 * 5);
}
