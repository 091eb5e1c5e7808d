#include "deft/data/synthetic_digits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "deft/data/random.h"
#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft {
namespace {

constexpr int digit_side = 28;
constexpr double pi = 3.141592653589793;

struct Point {
  double x = 0, y = 0;
};

using Stroke = std::vector<Point>;  // a line through these points
using Glyph = std::vector<Stroke>;  // in the unit square, y downward

// Part of an ellipse from one angle to another, in degrees, clockwise from the right.
Stroke arc(Point centre, Point radius, double from, double to) {
  constexpr int pieces = 14;
  Stroke stroke;
  for (int i = 0; i <= pieces; ++i) {
    const double angle = (from + (to - from) * i / pieces) * pi / 180;
    stroke.push_back({centre.x + radius.x * std::cos(angle), centre.y + radius.y * std::sin(angle)});
  }
  return stroke;
}

Stroke join(Stroke first, const Stroke& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

const std::vector<Glyph>& glyphs() {
  static const std::vector<Glyph> all = {
      {arc({.5, .5}, {.27, .38}, 0, 360)},
      {{{.36, .28}, {.52, .12}, {.52, .88}}},
      {join(arc({.5, .34}, {.24, .22}, 190, 395), {{.26, .87}, {.76, .87}})},
      {join(arc({.47, .31}, {.23, .19}, 205, 450), arc({.47, .69}, {.26, .19}, 270, 515))},
      {{{.62, .88}, {.62, .12}, {.24, .62}, {.8, .62}}},
      {join({{.72, .13}, {.35, .13}, {.32, .47}}, arc({.48, .65}, {.25, .23}, 230, 510))},
      {join(arc({.7, .66}, {.45, .54}, 255, 180), arc({.5, .66}, {.25, .21}, 180, 540))},
      {{{.25, .14}, {.76, .14}, {.44, .88}}},
      {arc({.5, .31}, {.21, .18}, 0, 360), arc({.5, .69}, {.25, .19}, 0, 360)},
      {join(arc({.5, .34}, {.24, .21}, 0, 360), {{.74, .34}, {.7, .6}, {.6, .88}})},
  };
  return all;
}

// From the unit square to pixels: a gentle wave, then an affine map.
class Hand {
 public:
  explicit Hand(PhiloxSequence& random) {
    bend_ = random.uniform(-0.05, 0.05);
    phase_ = random.uniform(0, 2 * pi);
    const double turn = random.uniform(-12, 12) * pi / 180, slant = random.uniform(-0.15, 0.3);
    const double height = random.uniform(19, 24), width = height * random.uniform(0.75, 1.05);
    xx_ = std::cos(turn) * width;
    xy_ = -(std::sin(turn) + slant) * height;
    yx_ = std::sin(turn) * width;
    yy_ = std::cos(turn) * height;
    shift_ = {random.uniform(-1.5, 1.5), random.uniform(-1.5, 1.5)};
  }

  Point operator()(Point p) const {
    const double x = p.x - 0.5 + bend_ * std::sin(5 * p.y + phase_), y = p.y - 0.5 + bend_ * std::sin(5 * p.x - phase_);
    const double centre = (digit_side - 1) / 2.0;
    return {centre + shift_.x + xx_ * x + xy_ * y, centre + shift_.y + yx_ * x + yy_ * y};
  }

 private:
  double bend_, phase_, xx_, xy_, yx_, yy_;
  Point shift_;
};

double distance_to_segment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  const double along = length2 > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length2, 0.0, 1.0) : 0.0;
  const double x = p.x - a.x - along * dx, y = p.y - a.y - along * dy;
  return std::sqrt(x * x + y * y);
}

void draw_segment(Point a, Point b, double radius, std::uint8_t* image) {
  const auto low = [&](double u, double v) { return std::max(0, static_cast<int>(std::min(u, v) - radius - 1)); };
  const auto high = [&](double u, double v) {
    return std::min(digit_side - 1, static_cast<int>(std::max(u, v) + radius + 1));
  };
  for (int y = low(a.y, b.y); y <= high(a.y, b.y); ++y) {
    for (int x = low(a.x, b.x); x <= high(a.x, b.x); ++x) {
      const double distance = distance_to_segment({double(x), double(y)}, a, b);
      const double coverage = std::clamp(radius + 0.5 - distance, 0.0, 1.0);
      std::uint8_t& pixel = image[y * digit_side + x];
      pixel = std::max(pixel, static_cast<std::uint8_t>(255 * coverage + 0.5));
    }
  }
}

void draw_digit(const Glyph& glyph, PhiloxSequence& random, std::uint8_t* image) {
  std::fill_n(image, digit_side * digit_side, std::uint8_t{0});
  const Hand hand(random);
  const double radius = random.uniform(0.7, 1.7);
  for (const Stroke& stroke : glyph) {
    for (std::size_t i = 0; i + 1 < stroke.size(); ++i)
      draw_segment(hand(stroke[i]), hand(stroke[i + 1]), radius, image);
  }
}

}  // namespace

Dataset synthetic_digits(std::int64_t count, Part part, std::uint64_t seed) {
  if (count < 0) throw Error(fmt::format("synthetic_digits: count is {}, expected at least 0", count));
  Dataset dataset{.name = "synthetic digits", .source = "drawn by a program (not MNIST)", .synthetic = true};
  dataset.images = empty({count, digit_side, digit_side, 1}, {.dtype = DType::uint8, .device = Device::cpu()});
  dataset.labels = empty({count}, {.dtype = DType::int64, .device = Device::cpu()});
  for (int digit = 0; digit < 10; ++digit) dataset.class_names.push_back(std::to_string(digit));
  std::uint8_t* images = dataset.images.mutable_data<std::uint8_t>();
  std::int64_t* labels = dataset.labels.mutable_data<std::int64_t>();
  const std::vector<Glyph>& all = glyphs();
  parallel_blocks(count, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      PhiloxSequence random =
          draws(seed, Draw::digits, static_cast<std::uint64_t>(part), static_cast<std::uint64_t>(i));
      const std::uint64_t digit = random.below(10);
      labels[i] = static_cast<std::int64_t>(digit);
      draw_digit(all[digit], random, images + i * digit_side * digit_side);
    }
  });
  return dataset;
}

}  // namespace deft
