#include "deft/data/affine.h"

#include <fmt/format.h>

#include <cmath>

#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

constexpr double radians_per_degree = 3.14159265358979323846 / 180;

double draw(const Range& range, PhiloxSequence& random) { return random.uniform(range.low, range.high); }

void check_range(const char* step, const char* name, const Range& range, double above) {
  if (range.low <= range.high && range.low > above && std::isfinite(range.low) && std::isfinite(range.high)) return;
  const std::string rule = above == 0 ? ", both above 0" : "";
  throw Error(
      fmt::format("{}: {} is {} to {}, expected finite low <= high{}", step, name, range.low, range.high, rule));
}

// The inverse of rotation · scale · shear in torchvision's parametrisation: shear along y, then along x.
AffineMatrix inverse_turn(double angle, double scale, double shear_x, double shear_y) {
  const double turn = angle * radians_per_degree, sx = shear_x * radians_per_degree, sy = shear_y * radians_per_degree;
  const double a = std::cos(turn - sy) / std::cos(sy);
  const double b = -std::cos(turn - sy) * std::tan(sx) / std::cos(sy) - std::sin(turn);
  const double c = std::sin(turn - sy) / std::cos(sy);
  const double d = -std::sin(turn - sy) * std::tan(sx) / std::cos(sy) + std::cos(turn);
  return {.xx = d / scale, .xy = -b / scale, .yx = -c / scale, .yy = a / scale};
}

}  // namespace

AffineMatrix compose(const AffineMatrix& first, const AffineMatrix& second) {
  const AffineMatrix &f = first, &s = second;
  return {f.xx * s.xx + f.xy * s.yx, f.xx * s.xy + f.xy * s.yy, f.xx * s.x + f.xy * s.y + f.x,
          f.yx * s.xx + f.yy * s.yx, f.yx * s.xy + f.yy * s.yy, f.yx * s.x + f.yy * s.y + f.y};
}

Tensor to_tensor(const std::vector<AffineMatrix>& matrices, Device device) {
  std::vector<float> values;
  values.reserve(6 * matrices.size());
  for (const AffineMatrix& m : matrices) {
    for (const double value : {m.xx, m.xy, m.x, m.yx, m.yy, m.y}) values.push_back(static_cast<float>(value));
  }
  return from_vector(values, {static_cast<std::int64_t>(matrices.size()), 2, 3}, device);
}

AffineMatrix draw_matrix(const std::vector<AffineStep>& steps, const ImageSize& size, PhiloxSequence& random) {
  AffineMatrix matrix;
  for (const AffineStep& step : steps) matrix = compose(matrix, step(size, random));
  return matrix;
}

AffineStep random_affine(const AffineRanges& ranges) {
  const AffineRanges& r = ranges;
  const double any = -INFINITY;
  check_range("random_affine", "angle", r.angle, any);
  check_range("random_affine", "scale", r.scale, 0);
  check_range("random_affine", "zoom_out_y", r.zoom_out_y, 0);
  check_range("random_affine", "zoom_out_x", r.zoom_out_x, 0);
  check_range("random_affine", "shear_y", r.shear_y, any);
  check_range("random_affine", "shear_x", r.shear_x, any);
  check_range("random_affine", "shift_y", r.shift_y, any);
  check_range("random_affine", "shift_x", r.shift_x, any);
  check_range("random_affine", "translate_y", r.translate_y, any);
  check_range("random_affine", "translate_x", r.translate_x, any);
  return [r](const ImageSize& size, PhiloxSequence& random) {
    const double angle = draw(r.angle, random), scale = draw(r.scale, random);
    const double zoom_y = draw(r.zoom_out_y, random), zoom_x = draw(r.zoom_out_x, random);
    const double shear_y = draw(r.shear_y, random), shear_x = draw(r.shear_x, random);
    double down = draw(r.shift_y, random), right = draw(r.shift_x, random);
    down += draw(r.translate_y, random) * static_cast<double>(size.height);
    right += draw(r.translate_x, random) * static_cast<double>(size.width);
    const AffineMatrix zoom{.xx = zoom_x, .yy = zoom_y}, shift{.x = -right, .y = -down};
    return compose(compose(zoom, inverse_turn(angle, scale, shear_x, shear_y)), shift);
  };
}

AffineStep random_expand(const Range& ratio) {
  check_range("random_expand", "ratio", ratio, 0);
  if (ratio.low < 1) throw Error(fmt::format("random_expand: ratio is at least {}, expected at least 1", ratio.low));
  return [ratio](const ImageSize& size, PhiloxSequence& random) {
    const double factor = draw(ratio, random);
    const auto canvas = [&](std::int64_t side) { return std::floor(static_cast<double>(side) * factor); };
    const auto place = [&](std::int64_t side) {
      return static_cast<double>(
          random.below(static_cast<std::uint64_t>(canvas(side)) - static_cast<std::uint64_t>(side) + 1));
    };
    const double top = place(size.height), left = place(size.width);
    const auto w = static_cast<double>(size.width), h = static_cast<double>(size.height);
    return AffineMatrix{.xx = canvas(size.width) / w,
                        .x = (canvas(size.width) - w) / 2 - left,
                        .yy = canvas(size.height) / h,
                        .y = (canvas(size.height) - h) / 2 - top};
  };
}

AffineStep random_horizontal_flip(double probability) {
  if (!(probability >= 0 && probability <= 1)) {
    throw Error(fmt::format("random_horizontal_flip: probability is {}, expected 0 to 1", probability));
  }
  return [probability](const ImageSize&, PhiloxSequence& random) {
    return AffineMatrix{.xx = random.uniform() < probability ? -1.0 : 1.0};
  };
}

AffineStep random_crop(std::int64_t padding) {
  if (padding < 0) throw Error(fmt::format("random_crop: padding is {}, expected at least 0", padding));
  return [padding](const ImageSize&, PhiloxSequence& random) {
    const auto places = static_cast<std::uint64_t>(2 * padding + 1);
    const auto down = static_cast<double>(random.below(places)), right = static_cast<double>(random.below(places));
    return AffineMatrix{.x = right - static_cast<double>(padding), .y = down - static_cast<double>(padding)};
  };
}

}  // namespace deft
