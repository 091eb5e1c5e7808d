// mmcv's test of its deformable convolution (tests/test_ops/test_deform_conv.py): offsets that a convolution predicts,
// with all gradients, and groups that do not divide the channels. Values recomputed by torchvision's rule in float64;
// only in this type, since one sample lies at x = W, where the derivative jumps and the rounding of float32 would
// decide. deft has a bias, which mmcv refuses, and no im2col_step.
#include <vector>

#include "deft/core/tensor.h"
#include "deft/layers/conv2d.h"
#include "deft/layers/deform_conv2d.h"

#include "catch.h"
#include "golden/nchw.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

constexpr std::int64_t images = 10;  // the same one, ten times

Tensor leaf(const std::vector<double>& values, const Shape& shape) {
  return from_vector(values, shape).set_requires_grad();
}

Tensor input() {
  std::vector<double> values;
  for (std::int64_t i = 0; i < images; ++i) values.insert(values.end(), {1, 2, 3, 0, 1, 2, 3, 5, 2});
  return leaf(values, {images, 1, 3, 3});
}

void check(const char* what, const Tensor& actual, const std::vector<double>& expected, double share = 1) {
  const std::vector<double> values = actual.detach().to_vector<double>();
  REQUIRE(values.size() % expected.size() == 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    INFO(what << "[" << i << "]");
    CHECK(values[i] * share == Approx(expected[i % expected.size()]).margin(1e-9));
  }
}

}  // namespace

TEST_CASE("mmcv: deformable convolution by predicted offsets, with all gradients") {
  const Tensor x = input(), weight = leaf({0.4, 0.2, 0.1, 0.9}, {1, 1, 2, 2});
  const Tensor offset_weight = leaf({0.1, 0.4, 0.6, 0.1, 0.3, 0.2, 0.1, 0.3, 0.5, 0.5, 0.2, 0.8, 0.8, 0.3, 0.9, 0.1,
                                     0.3, 0.1, 0.2, 0.5, 0.3, 0.7, 0.5, 0.3, 0.6, 0.2, 0.5, 0.3, 0.4, 0.1, 0.8, 0.4},
                                    {8, 1, 2, 2});
  const Tensor offset_bias = leaf({0.7, 0.1, 0.8, 0.5, 0.6, 0.5, 0.4, 0.7}, {8});
  const Tensor offset =
      to_channels_first(conv2d(to_channels_last(x), to_channels_last(offset_weight), {.bias = offset_bias}));
  const Tensor output = deform_conv2d_nchw(x, offset, weight);
  output.backward({.gradient = ones(output.shape(), {.dtype = DType::float64})});
  check("output", output, {1.65, 0, 0, 0});
  check("gradient of x", x.grad(), {-0.666, 0.204, 0, 0.03, -0.416, 0.012, 0, 0.252, 0.129});
  check("gradient of the offsets' weight", offset_weight.grad(),
        {1.44, 2.88, 0, 1.44, -0.72, -1.44, 0, -0.72, 0,     0,     0, 0,     0,     0,     0, 0,
         -0.1, -0.2, 0, -0.1, -0.08, -0.16, 0, -0.08, -0.54, -1.08, 0, -0.54, -0.54, -1.08, 0, -0.54},
        1.0 / images);
  check("gradient of the offsets' bias", offset_bias.grad(), {1.44, -0.72, 0, 0, -0.1, -0.08, -0.54, -0.54},
        1.0 / images);
  check("gradient of the weight", weight.grad(), {3.62, 0, 0.4, 0.18}, 1.0 / images);
}

TEST_CASE("mmcv: groups that do not divide the channels are refused") {
  CHECK_THROWS_WITH(DeformConv2d(3, 2, {.groups = 2}), Contains("groups is 2"));
  CHECK_THROWS_WITH(DeformConv2d(3, 4, {.groups = 3}), Contains("groups is 3"));
}
