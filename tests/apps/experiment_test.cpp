// What the experiments on MNIST do to their images.
#include "deft/apps/experiments/experiment.h"

#include <algorithm>
#include <cmath>

#include "deft/data/random.h"
#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "uniform.h"

using namespace deft;

namespace {

AffineMatrix drawn(const Transform& transform, std::uint64_t index) {
  PhiloxSequence random = draws(0, Draw::augment, 0, index);
  return draw_matrix(transform.steps, {28, 28}, random);
}

}  // namespace

// E4's images come from zoom · position about the centre, moved by a shift in the image's own pixels.
TEST_CASE("E4 shifts by up to a pixel and zooms out by up to 2.5, each axis by itself") {
  const apps::Training& tuning = *apps::e4().tuning;
  CHECK(tuning.transform.border == Border::replicate);
  CHECK(tuning.transform.interpolation == Interpolation::bilinear);
  std::vector<double> zoom_y, zoom_x, shift_y, shift_x, difference;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const AffineMatrix m = drawn(tuning.transform, i);
    REQUIRE((m.xy == 0 && m.yx == 0));
    zoom_y.push_back(m.yy), zoom_x.push_back(m.xx), shift_y.push_back(m.y), shift_x.push_back(m.x);
    difference.push_back((m.yy - m.xx) * (m.yy - m.xx));
  }
  check_uniform(zoom_y, 1, 2.5);
  check_uniform(zoom_x, 1, 2.5);
  check_uniform(shift_y, -1, 1);
  check_uniform(shift_x, -1, 1);
  double mean = 0;  // of the squared difference of two independent uniform numbers: 1.5² / 6
  for (const double number : difference) mean += number / double(difference.size());
  CHECK(mean == Approx(1.5 * 1.5 / 6).epsilon(0.1));

  CHECK(apps::e4().training.transform.steps.empty());
  CHECK(apps::e4().training.tests.at(0).transform.steps.empty());
}

// That such a matrix equals pasting and resizing is for transform_test.cpp.
TEST_CASE("E1 pastes on whole canvases of up to three times the side, in black") {
  const Transform& expanded = apps::e1().training.transform;
  CHECK(expanded.border == Border::constant);
  CHECK_FALSE(expanded.fill.has_value());
  std::vector<double> ratios;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const AffineMatrix m = drawn(expanded, i);
    REQUIRE(28 * m.xx == Approx(std::round(28 * m.xx)).margin(1e-9));
    REQUIRE(m.xx == m.yy);
    ratios.push_back(m.xx);
  }
  check_uniform(ratios, 1, 3);
}

TEST_CASE("E0 tests eleven scales, the others what they train on") {
  std::string names;
  for (const apps::TestSet& set : apps::e0().final_tests()) names += set.name + " ";
  CHECK(names == "0.5 0.6 0.7 0.8 0.9 1.0 1.1 1.2 1.3 1.4 1.5 ");
  CHECK(apps::e1().final_tests().size() == 1);
  CHECK(apps::e4().final_tests().at(1).name == "scaled");
  names.clear();
  for (const apps::TestSet& set : apps::e3().final_tests()) names += set.name + " ";
  CHECK(names == "plain rotated translated both ");
  CHECK_THROWS_AS(apps::experiment("E9"), Error);
}

// The figures are those of the publications; experiments.md names them.
TEST_CASE("experiments know what was published") {
  CHECK(apps::e0().published("scales 0.5 to 1.5, best epoch", "deform-v2") == 92.90);
  CHECK(apps::e4().published("scaled MNIST", "regular") == 59.32);
  for (const apps::Row& row : apps::e3().rows) {
    for (const std::string& model : apps::e3().models) CHECK_NOTHROW(apps::e3().published(row.title, model));
  }
  CHECK_THROWS_WITH(apps::e0().published("scales 0.5 to 1.5, best epoch", "deform-v1"),
                    "E0: nothing was published of 'scales 0.5 to 1.5, best epoch', deform-v1");
}
