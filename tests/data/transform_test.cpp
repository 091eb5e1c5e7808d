// Whole transforms of batches, against naive references in float64 that do one thing after another.
#include "deft/data/transform.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "deft/data/random.h"
#include "deft/kernels/runtime/error.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

struct Image {
  std::int64_t height, width, channels;
  std::vector<double> values;

  double& at(std::int64_t y, std::int64_t x, std::int64_t c) {
    return values[std::size_t((y * width + x) * channels + c)];
  }
  double at(std::int64_t y, std::int64_t x, std::int64_t c) const { return const_cast<Image*>(this)->at(y, x, c); }
  bool contains(std::int64_t y, std::int64_t x) const { return y >= 0 && y < height && x >= 0 && x < width; }
};

// Every pixel of an image of this size as a function of its place.
Image make(const Image& size, const std::function<double(std::int64_t y, std::int64_t x, std::int64_t c)>& pixel) {
  Image result{size.height, size.width, size.channels, std::vector<double>(size.values.size())};
  for (std::int64_t y = 0; y < size.height; ++y) {
    for (std::int64_t x = 0; x < size.width; ++x) {
      for (std::int64_t c = 0; c < size.channels; ++c) result.at(y, x, c) = pixel(y, x, c);
    }
  }
  return result;
}

Tensor random_images(const Shape& shape) {
  std::vector<std::uint8_t> pixels;
  PhiloxSequence random(4, 5);
  for (std::int64_t i = 0; i < shape.numel(); ++i) pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
  return from_vector(pixels, shape);
}

template <class T>
Image image(const Tensor& images, std::int64_t i) {
  const std::int64_t numel = images.size(1) * images.size(2) * images.size(3);
  const std::vector<T> values = alias(images, {numel}, i * numel).template to_vector<T>();
  return {images.size(1), images.size(2), images.size(3), std::vector<double>(values.begin(), values.end())};
}

Image scaled(Image image, double factor) {
  for (double& value : image.values) value *= factor;
  return image;
}

double largest_difference(const Image& a, const Image& b) {
  REQUIRE(a.values.size() == b.values.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) largest = std::max(largest, std::abs(a.values[i] - b.values[i]));
  return largest;
}

// Bilinear value at a position in pixels from the corner; `outside` gives what stands beyond the image.
double bilinear(const Image& image, double y, double x, std::int64_t c,
                const std::function<double(std::int64_t y, std::int64_t x, std::int64_t c)>& outside) {
  const auto top = static_cast<std::int64_t>(std::floor(y)), left = static_cast<std::int64_t>(std::floor(x));
  const double down = y - std::floor(y), right = x - std::floor(x);
  const auto pixel = [&](std::int64_t v, std::int64_t u) {
    return image.contains(v, u) ? image.at(v, u, c) : outside(v, u, c);
  };
  return (1 - down) * ((1 - right) * pixel(top, left) + right * pixel(top, left + 1)) +
         down * ((1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1));
}

// The matrix that transform_images draws for a sample.
AffineMatrix drawn(const Transform& transform, const Tensor& images, std::int64_t index, std::uint64_t seed,
                   std::uint64_t epoch) {
  PhiloxSequence random = draws(seed, Draw::augment, epoch, static_cast<std::uint64_t>(index));
  return draw_matrix(transform.steps, {images.size(1), images.size(2)}, random);
}

std::vector<std::int64_t> first_indices(std::int64_t count) {
  return arange(0, double(count), 1, {.dtype = DType::int64}).to_vector<std::int64_t>();
}

double black(std::int64_t, std::int64_t, std::int64_t) { return 0; }

}  // namespace

TEST_CASE("pixels are normalised per channel") {
  const Tensor images = random_images({3, 19, 17, 3});
  const Transform transform{.mean = {0.1, 0.5, 0.9}, .std = {0.3, 1, 2}};
  const Tensor result = transform_images(images, transform, {2, 0});
  CHECK(result.shape() == Shape{2, 19, 17, 3});
  for (const std::int64_t i : {0, 1}) {
    const Image from = image<std::uint8_t>(images, i == 0 ? 2 : 0);
    const Image expected = make(from, [&](auto y, auto x, auto c) {
      return (from.at(y, x, c) / 255 - transform.mean[std::size_t(c)]) / transform.std[std::size_t(c)];
    });
    CHECK(largest_difference(image<float>(result, i), expected) < 1e-6);
  }
  CHECK(transform_images(images, {}).to_vector<float>()[7] == Approx(images.to_vector<std::uint8_t>()[7] / 255.0));
}

TEST_CASE("expanding equals pasting on a canvas and resizing it, at the borders too") {
  const Tensor images = random_images({40, 28, 20, 2});
  const Transform transform{.steps = {random_expand({1, 3})}};
  const Tensor result = transform_images(images, transform, first_indices(40), 7, 3);
  for (std::int64_t i = 0; i < 40; ++i) {
    const AffineMatrix m = drawn(transform, images, i, 7, 3);
    const Image from = scaled(image<std::uint8_t>(images, i), 1 / 255.0);
    Image canvas{std::llround(m.yy * 28), std::llround(m.xx * 20), 2, {}};
    canvas.values.resize(std::size_t(canvas.height * canvas.width * 2));
    const auto top = std::llround((canvas.height - 28) / 2.0 - m.y),
               left = std::llround((canvas.width - 20) / 2.0 - m.x);
    REQUIRE((top >= 0 && top + 28 <= canvas.height && left >= 0 && left + 20 <= canvas.width));
    canvas = make(canvas, [&](auto y, auto x, auto c) {
      return from.contains(y - top, x - left) ? from.at(y - top, x - left, c) : 0;
    });
    const Image expected = make(from, [&](auto y, auto x, auto c) {  // half-pixel centres, clamped to the canvas
      const double v = std::clamp((double(y) + 0.5) * double(canvas.height) / 28 - 0.5, 0.0, double(canvas.height - 1));
      const double u = std::clamp((double(x) + 0.5) * double(canvas.width) / 20 - 0.5, 0.0, double(canvas.width - 1));
      return bilinear(canvas, v, u, c, black);
    });
    CHECK(largest_difference(image<float>(result, i), expected) < 2e-5);  // float32 positions up to 84
  }
}

TEST_CASE("a random affine warp equals sampling at the drawn positions, for both borders") {
  const Tensor images = random_images({12, 28, 28, 1});
  for (const Border border : {Border::constant, Border::replicate}) {
    const Transform transform{.steps = {random_affine({.angle = {-45, 45},
                                                       .scale = {0.7, 1.4},
                                                       .zoom_out_y = {1, 2.5},
                                                       .zoom_out_x = {1, 2.5},
                                                       .shear_x = {-20, 20},
                                                       .shift_y = {-1, 1},
                                                       .translate_x = {-0.2, 0.2}})},
                              .border = border};
    const Tensor result = transform_images(images, transform, first_indices(12), 1, 2);
    for (std::int64_t i = 0; i < 12; ++i) {
      const AffineMatrix m = drawn(transform, images, i, 1, 2);
      const Image from = scaled(image<std::uint8_t>(images, i), 1 / 255.0);
      const auto outside = [&](std::int64_t y, std::int64_t x, std::int64_t c) {
        if (border == Border::constant) return 0.0;
        return from.at(std::clamp<std::int64_t>(y, 0, 27), std::clamp<std::int64_t>(x, 0, 27), c);
      };
      const Image expected = make(from, [&](auto y, auto x, auto c) {
        const double u = double(x) - 13.5, v = double(y) - 13.5;
        return bilinear(from, m.yx * u + m.yy * v + m.y + 13.5, m.xx * u + m.xy * v + m.x + 13.5, c, outside);
      });
      CHECK(largest_difference(image<float>(result, i), expected) < 2e-5);
    }
  }
}

TEST_CASE("cropping and flipping move pixels unchanged") {
  const Tensor images = random_images({30, 9, 12, 3});
  const Transform transform{.steps = {random_crop(4), random_horizontal_flip()},
                            .interpolation = Interpolation::nearest};
  const Tensor result = transform_images(images, transform, first_indices(30), 1, 0);
  int flipped = 0;
  for (std::int64_t i = 0; i < 30; ++i) {
    const AffineMatrix m = drawn(transform, images, i, 1, 0);
    const Image from = image<std::uint8_t>(images, i);
    const auto down = std::llround(m.y), right = std::llround(m.x);
    const Image cropped = make(from, [&](auto y, auto x, auto c) {
      return from.contains(y + down, x + right) ? from.at(y + down, x + right, c) : 0;
    });
    const Image expected =
        m.xx > 0 ? cropped : make(cropped, [&](auto y, auto x, auto c) { return cropped.at(y, 11 - x, c); });
    flipped += m.xx < 0;
    CHECK(largest_difference(image<float>(result, i), scaled(expected, 1 / 255.0)) < 1e-7);
  }
  CHECK(flipped > 5);
  CHECK(flipped < 25);
}

TEST_CASE("what stands outside is black, or a normalised value") {
  const Tensor images = full({1, 8, 8, 1}, 255, {.dtype = DType::uint8});
  Transform transform{.steps = {random_affine({.scale = 0.5})},
                      .interpolation = Interpolation::nearest,
                      .mean = {0.1307},
                      .std = {0.3081}};
  const auto corner = [&] { return transform_images(images, transform).to_vector<float>()[0]; };
  CHECK(corner() == Approx(-0.1307 / 0.3081));
  transform.fill = 0;
  CHECK(corner() == 0);
  CHECK(transform_images(images, transform).to_vector<float>()[4 * 8 + 4] == Approx((1 - 0.1307) / 0.3081));
  transform.border = Border::replicate;
  CHECK(corner() == Approx((1 - 0.1307) / 0.3081));
}

TEST_CASE("what is drawn depends on seed, epoch and index") {
  const Tensor images = random_images({3, 28, 28, 1});
  const Transform transform{.steps = {random_affine({.angle = {-180, 180}})}};
  const auto first = [&](const std::vector<std::int64_t>& indices, std::uint64_t seed, std::uint64_t epoch) {
    return image<float>(transform_images(images, transform, indices, seed, epoch), 0).values;
  };
  const auto reference = first({1}, 5, 6);
  CHECK(first({1, 0, 2}, 5, 6) == reference);
  CHECK(first({1}, 6, 6) != reference);
  CHECK(first({1}, 5, 7) != reference);
  const AffineMatrix other = drawn(transform, images, 2, 5, 6);
  CHECK(other.xx != drawn(transform, images, 1, 5, 6).xx);
}

TEST_CASE("a transform says what does not fit") {
  const Tensor images = random_images({2, 4, 4, 3});
  CHECK_THROWS_WITH(transform_images(zeros({2, 4, 4, 3}), {}), Contains("images are float32 [2, 4, 4, 3]"));
  CHECK_THROWS_WITH(transform_images(images, {}, {0, 2}), "transform: index[1] is 2, expected 0 to 1");
  CHECK_THROWS_WITH(transform_images(images, {.mean = {0, 0}}), Contains("mean has 2 values, expected 1 or 3"));
  CHECK_THROWS_WITH(transform_images(images, {.std = {1, 0, 1}}), Contains("std of channel 1 is 0"));
  CHECK(transform_images(images, {}, std::vector<std::int64_t>{}).shape() == Shape{0, 4, 4, 3});
  const Transform flip{.steps = {random_horizontal_flip()}};
  CHECK(transform_images(random_images({0, 4, 4, 3}), flip).shape() == Shape{0, 4, 4, 3});
}
