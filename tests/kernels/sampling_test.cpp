// The sampling rules of the CUDA kernels, called on the CPU, against the oracle's.
#include "deft/kernels/cuda/sampling.h"

#include <cmath>
#include <limits>
#include <vector>

#include "catch.h"
#include "kernels/naive_conv.h"

using namespace deft;
using namespace deft::kernels;

namespace {

constexpr std::int64_t height = 3, width = 4;

DeformConv2dShape image_shape() {
  DeformConv2dShape s;
  s.n = 1, s.h = height, s.w = width, s.c = 1, s.o = 1;
  return s;
}

const naive::Values image{3, -1, 4, 1, -5, 9, 2, -6, 5, 3, -5, 8};

template <class T>
Corners<T> corner_values(const Cell<T>& cell) {
  Corners<T> values{};
  for (int corner = 0; corner < 4; ++corner) {
    if (cell.reads(corner))
      values.at[corner] = static_cast<T>(image.at(naive::index(cell.corner_pixel(corner, width))));
  }
  return values;
}

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> coordinates() {
  std::vector<double> all{infinity, -infinity, nan, 1e30, -1e30, 9.3e18, -9.3e18, 2147483648.0, -2147483904.0, 1e-45};
  for (double position = -2; position <= 5; position += 0.125) all.push_back(position);
  return all;
}

void check_equal(double found, double expected) {
  if (std::isnan(expected)) {
    CHECK(std::isnan(found));
  } else {
    CHECK(found == Approx(expected).margin(1e-6));
  }
}

}  // namespace

TEMPLATE_TEST_CASE("cells give the oracle's samples and derivatives", "", float, double) {
  const DeformConv2dShape s = image_shape();
  const naive::Term term{};
  for (const double y : coordinates()) {
    for (const double x : coordinates()) {
      INFO("y " << y << ", x " << x);
      const Position<TestType> at{static_cast<TestType>(y), static_cast<TestType>(x)};
      const auto cell = find_cell(height, width, at);
      const Corners<TestType> values = corner_values(cell), weights = corner_weights(cell, TestType(2));
      const double expected = naive::sample(s, image, term, y, x);
      check_equal(interpolate(cell, values), expected);
      TestType sum = 0;
      for (int corner = 0; corner < 4; ++corner) sum += weights.at[corner] * values.at[corner];
      check_equal(sum, 2 * expected);
      if (std::isnan(y) || std::isnan(x)) continue;
      const auto around = find_cell<CellUse::derivative>(height, width, at);
      const Position<TestType> slope = derivative(around, corner_values(around));
      check_equal(slope.y, naive::sample_derivative(s, image, term, y, x, true));
      check_equal(slope.x, naive::sample_derivative(s, image, term, y, x, false));
    }
  }
}

TEST_CASE("cells of images with more pixels than 32 bits count") {
  const std::int64_t h = 100'000, w = 70'000;
  const auto cell = find_cell(h, w, Position<double>{99'998.5, 69'998.25});
  CHECK(cell.inside == 0xf);
  CHECK(cell.corner_pixel(3, w) == h * w - 1);
  // float rounds this size up; the last position it holds inside is that of the last row.
  const std::int64_t rounded = (std::int64_t{1} << 24) + 3;
  CHECK(find_cell(rounded, 1, Position<float>{16777218.0f, 0}).inside == 0x1);
  CHECK(find_cell(rounded, 1, Position<float>{16777220.0f, 0}).inside == 0);
}

TEST_CASE("tap positions follow stride, padding, dilation and offset") {
  DeformConv2dShape s = image_shape();
  s.stride_h = 2, s.stride_w = 3, s.pad_top = 1, s.pad_left = 5, s.dilation_h = 4, s.dilation_w = 2;
  const Position<double> at = tap_position(s, 7, 3, 2, 1, 0.5, -0.25);
  CHECK(at.y == 7 * 2 - 1 + 2 * 4 + 0.5);
  CHECK(at.x == 3 * 3 - 5 + 1 * 2 - 0.25);
}
