// torchvision's tests of deform_conv2d (test/test_ops.py, TestDeformConv), on their shapes with random numbers of our
// own: the values of a loop over every product, gradients by differences, wrong sizes. Its comparison of a CPU with a
// GPU, of 8×9×1000×110 images, is left to the kernels' tests on smaller ones; autocast and scripts have no counterpart.
#include <cmath>
#include <cstdint>
#include <vector>

#include "deft/core/elementwise.h"
#include "deft/core/gradcheck.h"
#include "deft/core/tensor.h"

#include "catch.h"
#include "golden/nchw.h"
#include "random_tensor.h"

using namespace deft;
using Catch::Matchers::Equals;

namespace {

constexpr std::int64_t in_channels = 6, out_channels = 2, groups = 2, offset_groups = 3;
constexpr Size2 kernel{3, 2}, stride{2, 1}, padding{1, 0}, dilation{2, 1}, in{5, 4}, out{2, 3};

struct Arguments {
  Tensor x, offset, mask, weight, bias;

  explicit Arguments(std::int64_t n)
      : x(random_tensor({n, in_channels, in.h, in.w}, 1)),
        offset(random_tensor({n, 2 * offset_groups * kernel.h * kernel.w, out.h, out.w}, 2)),
        mask(random_tensor({n, offset_groups * kernel.h * kernel.w, out.h, out.w}, 3)),
        weight(random_tensor({out_channels, in_channels / groups, kernel.h, kernel.w}, 4)),
        bias(random_tensor({out_channels}, 5)) {}
};

Tensor run(const Tensor& x, const Tensor& offset, const Tensor& weight, const Tensor& mask, const Tensor& bias) {
  return deform_conv2d_nchw(x, offset, weight,
                            {.mask = mask,
                             .bias = bias,
                             .stride = stride,
                             .padding = {padding.h, padding.w},
                             .dilation = dilation,
                             .groups = groups,
                             .offset_groups = offset_groups});
}

// The elements of a tensor [N, C, H, W].
class Elements {
 public:
  explicit Elements(const Tensor& tensor)
      : shape_(tensor.shape()), values_(tensor.detach().to(DType::float64).to_vector<double>()) {}

  double operator()(std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) const {
    return values_.at(static_cast<std::size_t>(((n * shape_[1] + c) * shape_[2] + y) * shape_[3] + x));
  }
  /// The bilinear sample at a position, of pixels that are 0 outside.
  double sample(std::int64_t n, std::int64_t c, double y, double x) const {
    const double top = std::floor(y), left = std::floor(x);
    double sum = 0;
    for (const double row : {top, top + 1}) {
      for (const double column : {left, left + 1}) {
        if (row < 0 || row >= static_cast<double>(shape_[2]) || column < 0 || column >= static_cast<double>(shape_[3]))
          continue;
        sum += (1 - std::abs(y - row)) * (1 - std::abs(x - column)) *
               (*this)(n, c, static_cast<std::int64_t>(row), static_cast<std::int64_t>(column));
      }
    }
    return sum;
  }

 private:
  Shape shape_;
  std::vector<double> values_;
};

// The sum over kernel and channels, element by element.
class Expected {
 public:
  Expected(const Arguments& a, bool masked)
      : x_(a.x),
        offset_(a.offset),
        mask_(a.mask),
        weight_(a.weight),
        bias_(a.bias.to_vector<double>()),
        masked_(masked) {}

  Tensor output(std::int64_t batch) const {
    std::vector<double> values;
    for (std::int64_t n = 0; n < batch; ++n) {
      for (std::int64_t o = 0; o < out_channels; ++o) {
        for (std::int64_t i = 0; i < out.h; ++i) {
          for (std::int64_t j = 0; j < out.w; ++j) values.push_back(element(n, o, i, j));
        }
      }
    }
    return from_vector(values, {batch, out_channels, out.h, out.w});
  }

 private:
  double element(std::int64_t n, std::int64_t o, std::int64_t i, std::int64_t j) const {
    double sum = bias_[static_cast<std::size_t>(o)];
    for (std::int64_t di = 0; di < kernel.h; ++di) {
      for (std::int64_t dj = 0; dj < kernel.w; ++dj) {
        for (std::int64_t c = 0; c < in_channels / groups; ++c) {
          const std::int64_t channel = o / (out_channels / groups) * (in_channels / groups) + c;
          const std::int64_t tap = (channel / (in_channels / offset_groups) * kernel.h + di) * kernel.w + dj;
          const std::int64_t y = stride.h * i - padding.h + dilation.h * di;
          const std::int64_t x = stride.w * j - padding.w + dilation.w * dj;
          const double sample = x_.sample(n, channel, static_cast<double>(y) + offset_(n, 2 * tap, i, j),
                                          static_cast<double>(x) + offset_(n, 2 * tap + 1, i, j));
          sum += (masked_ ? mask_(n, tap, i, j) : 1) * weight_(o, c, di, dj) * sample;
        }
      }
    }
    return sum;
  }

  Elements x_, offset_, mask_, weight_;
  std::vector<double> bias_;
  bool masked_;
};

}  // namespace

TEST_CASE("torchvision deform_conv2d: test_forward") {
  for (const std::int64_t batch : {0, 33}) {
    const Arguments a(batch);
    for (const bool masked : {true, false}) {
      const Tensor expected = Expected(a, masked).output(batch);
      for (const DType dtype : {DType::float64, DType::float32}) {
        const Tensor mask = masked ? a.mask.to(dtype) : Tensor();
        const Tensor output = run(a.x.to(dtype), a.offset.to(dtype), a.weight.to(dtype), mask, a.bias.to(dtype));
        INFO("batch " << batch << ", masked " << masked << ", " << to_string(dtype));
        REQUIRE(output.shape() == Shape{batch, out_channels, out.h, out.w});
        REQUIRE(relative_error(output, expected) < (dtype == DType::float64 ? 1e-12 : 1e-5));
      }
    }
  }
}

// 2 images stand for the 33, since every difference takes two runs.
TEST_CASE("torchvision deform_conv2d: test_backward") {
  for (const std::int64_t batch : {0, 2}) {
    const Arguments a(batch);
    const auto with_mask = gradcheck([](const auto& t) { return run(t[0], t[1], t[3], t[2], t[4]); },
                                     {a.x, a.offset, a.mask, a.weight, a.bias});
    INFO(with_mask.message);
    CHECK(with_mask.ok);
    const auto without_mask = gradcheck([](const auto& t) { return run(t[0], t[1], t[2], Tensor(), t[3]); },
                                        {a.x, a.offset, a.weight, a.bias});
    INFO(without_mask.message);
    CHECK(without_mask.ok);
  }
}

TEST_CASE("torchvision deform_conv2d: test_wrong_sizes") {
  const Arguments a(33);
  const auto first_two = [](const Tensor& tensor) { return slice(tensor, 1, 0, 2); };
  CHECK_NOTHROW(run(a.x, a.offset, a.weight, a.mask, a.bias));
  CHECK_THROWS_WITH(
      run(a.x, first_two(a.offset), a.weight, Tensor(), a.bias),
      Equals("deform_conv2d: offset is [33, 2, 3, 2], expected [33, 2, 3, 36] (2 · offset_groups 3 · kernel 3×2)"));
  CHECK_THROWS_WITH(
      run(a.x, a.offset, a.weight, first_two(a.mask), a.bias),
      Equals("deform_conv2d: mask is [33, 2, 3, 2], expected [33, 2, 3, 18] (offset_groups 3 · kernel 3×2)"));
}
