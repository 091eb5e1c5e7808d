// The matrices of augmentation, each against what it stands for.
#include "deft/data/affine.h"

#include <array>
#include <cmath>

#include "deft/kernels/runtime/error.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

using Matrix2 = std::array<double, 4>;  // row by row

Matrix2 operator*(const Matrix2& a, const Matrix2& b) {
  return {a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3]};
}

constexpr ImageSize size{24, 40};

AffineMatrix draw(const AffineStep& step, std::uint64_t index = 0) {
  PhiloxSequence random(1, 2, index << 8);
  return step(size, random);
}

// Smallest, largest and mean of a number of many drawn matrices.
template <class Number>
std::array<double, 3> spread(const AffineStep& step, Number number) {
  std::array<double, 3> result = {INFINITY, -INFINITY, 0};
  constexpr int count = 4000;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double value = number(draw(step, i));
    result = {std::min(result[0], value), std::max(result[1], value), result[2] + value / count};
  }
  return result;
}

void check_uniform(const std::array<double, 3>& found, double low, double high) {
  const double margin = 0.02 * (high - low);
  CHECK(found[0] >= low - 1e-12);
  CHECK(found[1] <= high + 1e-12);
  CHECK(found[0] == Approx(low).margin(margin));
  CHECK(found[1] == Approx(high).margin(margin));
  CHECK(found[2] == Approx((low + high) / 2).margin(margin));
}

}  // namespace

// torchvision documents its map from input to output as T · R(angle) · S(scale) · SHy · SHx; ours begins with the zoom.
TEST_CASE("a fixed affine map undoes shift, rotation, scale, shear and zoom") {
  const double degree = std::acos(-1.0) / 180, turn = 25 * degree;
  const AffineMatrix m = draw(random_affine({.angle = 25,
                                             .scale = 1.3,
                                             .zoom_out_y = 2,
                                             .zoom_out_x = 1.25,
                                             .shear_y = -7,
                                             .shear_x = 12,
                                             .shift_y = -2,
                                             .shift_x = 3,
                                             .translate_y = 0.25,
                                             .translate_x = -0.1}));
  const Matrix2 rotation = {std::cos(turn), -std::sin(turn), std::sin(turn), std::cos(turn)};
  const Matrix2 shear_y = {1, 0, -std::tan(-7 * degree), 1}, shear_x = {1, -std::tan(12 * degree), 0, 1};
  const Matrix2 forward = rotation * Matrix2{1.3, 0, 0, 1.3} * shear_y * shear_x * Matrix2{1 / 1.25, 0, 0, 1 / 2.0};
  for (const auto& [x, y] : {std::pair(0.0, 0.0), std::pair(1.0, 0.0), std::pair(-3.0, 7.5)}) {
    const double x_out = forward[0] * x + forward[1] * y + 3 - 0.1 * 40;
    const double y_out = forward[2] * x + forward[3] * y - 2 + 0.25 * 24;
    CHECK(m.xx * x_out + m.xy * y_out + m.x == Approx(x).margin(1e-12));
    CHECK(m.yx * x_out + m.yy * y_out + m.y == Approx(y).margin(1e-12));
  }
}

TEST_CASE("steps are applied to the image in order") {
  const AffineStep shift = random_affine({.shift_x = 3}), double_size = random_affine({.scale = 2});
  PhiloxSequence random(1, 2);
  CHECK(draw_matrix({shift, double_size}, size, random).x == -3);    // the shift is doubled too
  CHECK(draw_matrix({double_size, shift}, size, random).x == -1.5);  // it is not
  CHECK(draw_matrix({}, size, random).xx == 1);
}

TEST_CASE("matrices become the tensor that the warp takes") {
  const Tensor tensor = to_tensor({AffineMatrix(), {1, 2, 3, 4, 5, 6}});
  CHECK(tensor.shape() == Shape{2, 2, 3});
  CHECK(tensor.to_vector<float>() == std::vector<float>{1, 0, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6});
}

TEST_CASE("random affine numbers are uniform in their ranges") {
  check_uniform(spread(random_affine({.scale = {0.5, 1.5}}), [](const AffineMatrix& m) { return 1 / m.xx; }), 0.5, 1.5);
  check_uniform(spread(random_affine({.zoom_out_y = {1, 2.5}}), [](const AffineMatrix& m) { return m.yy; }), 1, 2.5);
  check_uniform(spread(random_affine({.zoom_out_x = {1, 2.5}}), [](const AffineMatrix& m) { return m.xx; }), 1, 2.5);
  check_uniform(spread(random_affine({.shift_y = {-1, 1}}), [](const AffineMatrix& m) { return -m.y; }), -1, 1);
  check_uniform(spread(random_affine({.translate_x = {-0.2, 0.2}}), [](const AffineMatrix& m) { return -m.x; }), -8, 8);
  const auto angle = [](const AffineMatrix& m) { return std::atan2(-m.yx, m.xx) * 180 / std::acos(-1.0); };
  check_uniform(spread(random_affine({.angle = {-45, 45}}), angle), -45, 45);
}

TEST_CASE("expanding takes whole canvases and whole positions, each as likely") {
  const AffineStep expand = random_expand({1, 3});
  check_uniform(spread(expand, [](const AffineMatrix& m) { return m.xx; }), 1, 3);
  const auto place = [](const AffineMatrix& m) {  // 0: left edge, 1: right edge
    const double canvas = m.xx * 40, left = (canvas - 40) / 2 - m.x;
    CHECK(canvas == Approx(std::round(canvas)));
    CHECK(left == Approx(std::round(left)).margin(1e-9));
    return canvas > 40 ? left / (canvas - 40) : 0.5;
  };
  check_uniform(spread(expand, place), 0, 1);
  const AffineMatrix whole = draw(random_expand(1));
  CHECK((whole.xx == 1 && whole.x == 0 && whole.yy == 1 && whole.y == 0));
}

TEST_CASE("crops reach every place and flips have their probability") {
  check_uniform(spread(random_crop(20), [](const AffineMatrix& m) { return m.y; }), -20, 20);
  CHECK(spread(random_crop(4), [](const AffineMatrix& m) { return m.x; })[1] == 4);
  CHECK(spread(random_horizontal_flip(0.25), [](const AffineMatrix& m) { return m.xx; })[2] ==
        Approx(0.5).margin(0.05));
  CHECK(spread(random_horizontal_flip(1), [](const AffineMatrix& m) { return m.xx; })[1] == -1);
}

TEST_CASE("augmentations say what does not fit") {
  CHECK_THROWS_WITH(random_affine({.angle = {3, -3}}), "random_affine: angle is 3 to -3, expected finite low <= high");
  CHECK_THROWS_WITH(random_affine({.scale = {0, 1}}), Contains("scale is 0 to 1") && Contains("both above 0"));
  CHECK_THROWS_WITH(random_affine({.shift_x = {0, INFINITY}}), Contains("shift_x is 0 to inf"));
  CHECK_THROWS_WITH(random_expand({0.5, 2}), Contains("ratio is at least 0.5, expected at least 1"));
  CHECK_THROWS_WITH(random_horizontal_flip(1.5), Contains("probability is 1.5"));
  CHECK_THROWS_WITH(random_crop(-1), Contains("padding is -1"));
}
