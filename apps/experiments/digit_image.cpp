#include "deft/apps/experiments/digit_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "deft/data/image.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

constexpr std::int64_t side = 28, digit_side = 20;
constexpr int least_contrast = 32, ink_threshold = 64;

// A grey image on the CPU with its rows at hand.
struct Grey {
  std::int64_t height, width;
  std::vector<std::uint8_t> pixels;

  std::uint8_t& at(std::int64_t y, std::int64_t x) { return pixels[static_cast<std::size_t>(y * width + x)]; }
  std::uint8_t at(std::int64_t y, std::int64_t x) const { return pixels[static_cast<std::size_t>(y * width + x)]; }
  Tensor tensor() const { return from_vector(pixels, {height, width, 1}, Device::cpu()); }
};

Grey grey(const Tensor& image) { return {image.size(0), image.size(1), image.to_vector<std::uint8_t>()}; }

// The mean of the outermost rows and columns says what the background is.
bool has_light_border(const Grey& image) {
  double sum = 0, count = 0;
  for (std::int64_t y = 0; y < image.height; ++y) {
    for (std::int64_t x = 0; x < image.width; ++x) {
      if (y > 0 && y < image.height - 1 && x > 0 && x < image.width - 1) continue;
      sum += image.at(y, x);
      ++count;
    }
  }
  return sum > 127.5 * count;
}

// Background to 0, ink to 255.
void stretch(Grey& image, bool invert, const std::string& path) {
  const auto [low, high] = std::minmax_element(image.pixels.begin(), image.pixels.end());
  const int dark = *low, range = *high - *low;
  if (range < least_contrast) {
    throw Error(fmt::format("{}: its brightest and darkest pixels differ by {} of 255: no digit to see", path, range));
  }
  for (std::uint8_t& pixel : image.pixels) {
    const int value = (pixel - dark) * 255 / range;
    pixel = static_cast<std::uint8_t>(invert ? 255 - value : value);
  }
}

Grey crop_to_ink(const Grey& image) {
  std::int64_t top = image.height, bottom = -1, left = image.width, right = -1;
  for (std::int64_t y = 0; y < image.height; ++y) {
    for (std::int64_t x = 0; x < image.width; ++x) {
      if (image.at(y, x) < ink_threshold) continue;
      top = std::min(top, y), bottom = std::max(bottom, y);
      left = std::min(left, x), right = std::max(right, x);
    }
  }
  Grey cropped{bottom - top + 1, right - left + 1, {}};
  for (std::int64_t y = top; y <= bottom; ++y) {
    for (std::int64_t x = left; x <= right; ++x) cropped.pixels.push_back(image.at(y, x));
  }
  return cropped;
}

Grey fit(const Grey& image) {
  const std::int64_t longer = std::max(image.height, image.width);
  const auto scaled = [&](std::int64_t size) {
    return std::max<std::int64_t>(1,
                                  std::llround(static_cast<double>(size * digit_side) / static_cast<double>(longer)));
  };
  return grey(resize_image(image.tensor(), scaled(image.height), scaled(image.width)));
}

// Where the first pixel goes along one axis, for the centre of mass to lie in the middle of the image.
std::int64_t offset(double moment, double mass, std::int64_t size) {
  const double centre = mass > 0 ? moment / mass : static_cast<double>(size - 1) / 2;
  const std::int64_t wanted = std::llround(static_cast<double>(side - 1) / 2 - centre);
  return std::clamp<std::int64_t>(wanted, 0, side - size);
}

Grey centre(const Grey& digit) {
  double mass = 0, moment_y = 0, moment_x = 0;
  for (std::int64_t y = 0; y < digit.height; ++y) {
    for (std::int64_t x = 0; x < digit.width; ++x) {
      const double value = digit.at(y, x);
      mass += value;
      moment_y += value * static_cast<double>(y);
      moment_x += value * static_cast<double>(x);
    }
  }
  const std::int64_t top = offset(moment_y, mass, digit.height), left = offset(moment_x, mass, digit.width);
  Grey result{side, side, std::vector<std::uint8_t>(side * side)};
  for (std::int64_t y = 0; y < digit.height; ++y) {
    for (std::int64_t x = 0; x < digit.width; ++x) result.at(top + y, left + x) = digit.at(y, x);
  }
  return result;
}

}  // namespace

Tensor load_digit(const std::string& path, Ink ink) {
  Grey image = grey(load_image(path, {.channels = 1}));
  const bool invert = ink == Ink::dark || (ink == Ink::automatic && has_light_border(image));
  stretch(image, invert, path);
  if (image.height == side && image.width == side) return image.tensor();
  return centre(fit(crop_to_ink(image))).tensor();
}

}  // namespace deft::apps
