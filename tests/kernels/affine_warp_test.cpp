// The affine warp against torchvision's tables, a naive reference and cases worked by hand.
#include "deft/kernels/affine_warp.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "deft/kernels/runtime/parallel_for.h"
#include "deft/kernels/runtime/philox.h"

#include "catch.h"
#include "test_device.h"

using namespace deft;
using deft::testing::Buffer;
using deft::testing::on_test_device;
using kernels::AffineWarpShape;

namespace {

template <class In, class T>
std::vector<T> warp_channels(const AffineWarpShape& s, const std::vector<In>& input, const std::vector<T>& matrix,
                             const std::vector<T>& scale, const std::vector<T>& shift, const std::vector<T>& fill) {
  const Buffer<In> in(input);
  const Buffer<T> matrices(matrix), scales(scale), shifts(shift), fills(fill);
  Buffer<T> output(std::vector<T>(static_cast<std::size_t>(s.n * s.h_out * s.w_out * s.c), T(NAN)));
  on_test_device([&](auto place) {
    kernels::affine_warp<In, T>(place, s, in.data(), matrices.data(), scales.data(), shifts.data(), fills.data(),
                                output.data());
  });
  return output.values();
}

template <class In, class T>
std::vector<T> warp(const AffineWarpShape& s, const std::vector<In>& input, const std::vector<T>& matrix, T fill = 0,
                    T scale = 1, T shift = 0) {
  const auto c = static_cast<std::size_t>(s.c);
  return warp_channels<In, T>(s, input, matrix, std::vector<T>(c, scale), std::vector<T>(c, shift),
                              std::vector<T>(c, fill));
}

AffineWarpShape square(std::int64_t side, Interpolation interpolation, Border border, std::int64_t n = 1) {
  return {n, side, side, 1, side, side, interpolation, border};
}

// Source column of each output column when torchvision 0.14 scales a 28-pixel image in float32, -1 for the fill; the
// rows are the same. From PyTorch 1.13 on an image of pixel numbers.
struct ScaleCase {
  double scale;
  int columns[28];
};
const ScaleCase scale_cases[] = {
    {0.5, {-1, -1, -1, -1, -1, -1, -1, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 25, 26, -1, -1, -1, -1, -1, -1, -1}},
    {0.6, {-1, -1, -1, -1, -1, -1, 1, 3, 4, 6, 8, 9, 11, 13, 14, 16, 18, 19, 21, 23, 24, 26, -1, -1, -1, -1, -1, -1}},
    {0.7, {-1, -1, -1, -1, 0, 1, 3, 4, 6, 7, 8, 10, 11, 13, 14, 16, 17, 18, 20, 21, 23, 24, 26, 27, -1, -1, -1, -1}},
    {0.8, {-1, -1, -1, 0, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 14, 15, 17, 18, 19, 20, 22, 23, 24, 25, 27, -1, -1, -1}},
    {0.9, {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, -1}},
    {1.0, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27}},
    {1.1, {1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 18, 19, 20, 21, 22, 23, 24, 25, 26}},
    {1.2000000000000002,
     {2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 11, 11, 12, 13, 14, 15, 16, 16, 17, 18, 19, 20, 21, 21, 22, 23, 24, 25}},
    {1.3, {3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 12, 12, 13, 14, 15, 15, 16, 17, 18, 18, 19, 20, 21, 22, 22, 23, 24}},
    {1.4, {4, 5, 5, 6, 7, 7, 8, 9, 10, 10, 11, 12, 12, 13, 14, 15, 15, 16, 17, 17, 18, 19, 20, 20, 21, 22, 22, 23}},
    {1.5, {4, 5, 6, 6, 7, 8, 8, 9, 10, 10, 11, 12, 12, 13, 14, 14, 15, 16, 16, 17, 18, 18, 19, 20, 20, 21, 22, 22}},
};

// Bilinear by the definition: every pixel of the image weighs max(0, 1 - |distance|) per axis.
double reference_bilinear(const std::vector<double>& image, std::int64_t h, std::int64_t w, double y, double x,
                          double fill) {
  double sum = 0, covered = 0;
  for (std::int64_t i = 0; i < h; ++i) {
    for (std::int64_t j = 0; j < w; ++j) {
      const double weight = std::fmax(0, 1 - std::fabs(y - static_cast<double>(i))) *
                            std::fmax(0, 1 - std::fabs(x - static_cast<double>(j)));
      sum += weight * image[static_cast<std::size_t>(i * w + j)];
      covered += weight;
    }
  }
  return sum + (1 - covered) * fill;
}

}  // namespace

TEST_CASE("nearest scaling takes torchvision's pixels, also between two pixels") {
  std::vector<float> image(784);
  std::iota(image.begin(), image.end(), 1.0f);
  for (const ScaleCase& scale_case : scale_cases) {
    CAPTURE(scale_case.scale);
    const auto inverse = static_cast<float>(1 / scale_case.scale);
    // The second image's matrix is not separable by its bits, though it moves nothing.
    const float tiny = 1e-30f;
    std::vector<float> two(image);
    two.insert(two.end(), image.begin(), image.end());
    const auto output = warp<float, float>(square(28, Interpolation::nearest, Border::constant, 2), two,
                                           {inverse, 0, 0, 0, inverse, 0, inverse, tiny, 0, tiny, inverse, 0});
    for (std::size_t i = 0; i < 28; ++i) {
      for (std::size_t j = 0; j < 28; ++j) {
        const int row = scale_case.columns[i], column = scale_case.columns[j];
        const float expected = row < 0 || column < 0 ? 0.0f : static_cast<float>(row * 28 + column + 1);
        REQUIRE(output[i * 28 + j] == expected);
        REQUIRE(output[784 + i * 28 + j] == expected);
      }
    }
  }
}

TEST_CASE("bilinear warping follows its definition at every border") {
  const std::int64_t h = 5, w = 7, h_out = 6, w_out = 4;
  PhiloxSequence random(7, 0);
  std::vector<double> image(static_cast<std::size_t>(h * w));
  for (double& value : image) value = random.normal();
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<double> m(6);
    for (double& value : m) value = 1.5 * random.normal();
    for (Border border : {Border::constant, Border::replicate}) {
      const AffineWarpShape s{1, h, w, 1, h_out, w_out, Interpolation::bilinear, border};
      const auto output = warp<double, double>(s, image, m, -0.7);
      for (std::int64_t i = 0; i < h_out; ++i) {
        for (std::int64_t j = 0; j < w_out; ++j) {
          const double y_out = static_cast<double>(i) - 2.5, x_out = static_cast<double>(j) - 1.5;
          double x = m[0] * x_out + m[1] * y_out + m[2] + 3;
          double y = m[3] * x_out + m[4] * y_out + m[5] + 2;
          if (border == Border::replicate) {
            x = std::fmin(std::fmax(x, 0), 6);
            y = std::fmin(std::fmax(y, 0), 4);
          }
          const double expected = reference_bilinear(image, h, w, y, x, -0.7);
          REQUIRE(output[static_cast<std::size_t>(i * w_out + j)] == Approx(expected).margin(1e-12));
        }
      }
    }
  }
}

TEST_CASE("pixels are normalised before the fill stands beside them") {
  const std::vector<std::uint8_t> image{0, 51, 102, 255};
  // Two pixels to the right: the left half of the output lies outside.
  const AffineWarpShape nearest{1, 1, 4, 1, 1, 4, Interpolation::nearest, Border::constant};
  const std::vector<double> matrix{1, 0, -2, 0, 1, 0};
  const double scale = 1 / (255 * 0.5), shift = -0.5;
  CHECK(warp<std::uint8_t, double>(nearest, image, matrix, 9.0, scale, shift) ==
        std::vector<double>{9, 9, 0 * scale + shift, 51 * scale + shift});
  AffineWarpShape edge = nearest;
  edge.border = Border::replicate;
  CHECK(warp<std::uint8_t, double>(edge, image, matrix, 9.0, scale, shift) ==
        std::vector<double>{shift, shift, shift, 51 * scale + shift});
  AffineWarpShape bilinear = nearest;
  bilinear.interpolation = Interpolation::bilinear;
  const auto half = warp<std::uint8_t, double>(bilinear, image, {1, 0, -0.5, 0, 1, 0}, 9.0, scale, shift);
  CHECK(half[0] == Approx(0.5 * 9 + 0.5 * shift));
  CHECK(half[3] == Approx(0.5 * (102 + 255) * scale + shift));
}

TEST_CASE("every channel of every image goes its own way") {
  const AffineWarpShape s{2, 1, 2, 2, 1, 2, Interpolation::nearest, Border::constant};
  const std::vector<float> image{1, 2, 3, 4, 5, 6, 7, 8}, matrix{-1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0};
  CHECK(warp_channels<float, float>(s, image, matrix, {1, 10}, {0, 1}, {-1, -2}) ==
        std::vector<float>{3, 41, 1, 21, 7, 81, -1, -2});
}

TEST_CASE("no matrix reads outside the image") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> image{1, 2, 3, 4};
  for (float bad : {inf, -inf, nan, 1e30f, -1e30f}) {
    for (std::size_t place = 0; place < 6; ++place) {
      std::vector<float> matrix{1, 0, 0, 0, 1, 0};
      matrix[place] = bad;
      for (Interpolation interpolation : {Interpolation::nearest, Interpolation::bilinear}) {
        for (float value : warp<float, float>(square(2, interpolation, Border::constant), image, matrix, 7.0f)) {
          CHECK((value >= 1 && value <= 7));
        }
        for (float value : warp<float, float>(square(2, interpolation, Border::replicate), image, matrix, 7.0f)) {
          CHECK((value >= 1 && value <= 4));
        }
      }
    }
  }
  CHECK(warp<float, float>({1, 0, 3, 1, 1, 2}, {}, {1, 0, 0, 0, 1, 0}, 7.0f) == std::vector<float>{7, 7});
  CHECK(warp<float, float>({0, 3, 3, 1, 3, 3}, {}, {}).empty());
}

TEST_CASE("every device takes the same pixels and the same weights") {
  const AffineWarpShape shapes[] = {{30, 28, 28, 1, 28, 28, Interpolation::nearest, Border::constant},
                                    {30, 13, 9, 3, 17, 11, Interpolation::nearest, Border::replicate},
                                    {30, 13, 9, 3, 17, 11, Interpolation::bilinear, Border::constant},
                                    {30, 7, 16, 5, 7, 16, Interpolation::bilinear, Border::replicate}};
  PhiloxSequence random(8, 0);
  for (const AffineWarpShape& s : shapes) {
    std::vector<std::uint8_t> images(static_cast<std::size_t>(s.n * s.h * s.w * s.c));
    for (auto& value : images) value = static_cast<std::uint8_t>(random.below(256));
    std::vector<float> matrices(static_cast<std::size_t>(s.n * 6));
    for (float& value : matrices) value = static_cast<float>(random.normal());
    const std::vector<float> scale(static_cast<std::size_t>(s.c), 0.012f), shift(static_cast<std::size_t>(s.c), -0.4f);
    std::vector<float> on_cpu(static_cast<std::size_t>(s.n * s.h_out * s.w_out * s.c));
    on_place(Device::cpu(), [&](auto place) {
      kernels::affine_warp<std::uint8_t, float>(place, s, images.data(), matrices.data(), scale.data(), shift.data(),
                                                shift.data(), on_cpu.data());
    });
    CHECK(warp_channels<std::uint8_t, float>(s, images, matrices, scale, shift, shift) == on_cpu);
  }
}

TEST_CASE("a warped batch is the same for any number of threads") {
  const std::int64_t n = 40;
  PhiloxSequence random(3, 0);
  std::vector<std::uint8_t> images(static_cast<std::size_t>(n * 784));
  for (auto& value : images) value = static_cast<std::uint8_t>(random.below(256));
  std::vector<float> matrices(static_cast<std::size_t>(n * 6));
  for (float& value : matrices) value = static_cast<float>(random.normal());
  const int before = num_threads();
  for (Interpolation interpolation : {Interpolation::nearest, Interpolation::bilinear}) {
    const AffineWarpShape s = square(28, interpolation, Border::constant, n);
    set_num_threads(1);
    const auto one = warp<std::uint8_t, float>(s, images, matrices);
    set_num_threads(3);
    CHECK(warp<std::uint8_t, float>(s, images, matrices) == one);
    // One image alone gives what it gives in the batch.
    const AffineWarpShape alone = square(28, interpolation, Border::constant);
    const std::vector<std::uint8_t> last(images.end() - 784, images.end());
    CHECK(warp<std::uint8_t, float>(alone, last, std::vector<float>(matrices.end() - 6, matrices.end())) ==
          std::vector<float>(one.end() - 784, one.end()));
  }
  set_num_threads(before);
}
