// The DeformConv tests of ONNX Runtime (onnxruntime/test/providers/cpu/nn/deform_conv_op_test.cc): samples by hand, and
// sums over inputs and weights that are all 0.1. Its 16-bit types are not deft's, and GroupsWithNonZeroOffset, whose
// numbers are random, is what torchvision's cases are, for other sizes.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "deft/core/tensor.h"

#include "catch.h"
#include "golden/nchw.h"

using namespace deft;
using Catch::Matchers::Equals;

namespace {

constexpr DType both_types[] = {DType::float64, DType::float32};

// The 2×2 image 1, 2, 3, 4 under one kernel.
struct Sampling {
  Tensor offset, weight;
  std::vector<double> expected;
  double margin = 1e-6;
};

void check_samples(const Tensor& image, const Sampling& s) {
  for (const DType dtype : both_types) {
    const std::vector<double> output = deform_conv2d_nchw(image.to(dtype), s.offset.to(dtype), s.weight.to(dtype))
                                           .to(DType::float64)
                                           .to_vector<double>();
    REQUIRE(output.size() == s.expected.size());
    for (std::size_t i = 0; i < output.size(); ++i) CHECK(output[i] == Approx(s.expected[i]).margin(s.margin));
  }
}

Tensor image() { return from_vector<double>({1, 2, 3, 4}, {1, 1, 2, 2}); }

Tensor one_tap() { return uniform_but({1, 1, 1, 1}, 1); }

// Inputs and weights of 0.1, offsets of 0, a mask of `mask` where there is one.
struct Uniform {
  std::string name;
  Shape input, weight, output;
  DeformConv2dFunctionOptions options = {};
  std::vector<double> expected;  ///< all elements, or one value for each output channel
  double mask = 1;
  bool masked = true;
};

void check(const Uniform& u, DType dtype) {
  const auto [n, c, h, w] = std::array{u.output[0], u.output[1], u.output[2], u.output[3]};
  const std::int64_t taps = u.options.offset_groups * u.weight[2] * u.weight[3];
  DeformConv2dFunctionOptions options = u.options;
  if (u.masked) options.mask = uniform_but({n, taps, h, w}, u.mask).to(dtype);
  if (options.bias.defined()) options.bias = options.bias.to(dtype);
  const Tensor output =
      deform_conv2d_nchw(uniform_but(u.input, 0.1).to(dtype), uniform_but({n, 2 * taps, h, w}, 0).to(dtype),
                         uniform_but(u.weight, 0.1).to(dtype), options);
  INFO(u.name << " in " << to_string(dtype));
  REQUIRE(output.shape() == u.output);
  const std::vector<double> values = output.to(DType::float64).to_vector<double>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t channel = i / static_cast<std::size_t>(h * w) % static_cast<std::size_t>(c);
    const double expected = u.expected.size() == values.size() ? u.expected[i] : u.expected.at(channel);
    REQUIRE(values[i] == Approx(expected).epsilon(1e-6).margin(1e-9));
  }
}

}  // namespace

TEST_CASE("ONNX Runtime DeformConv: samples between pixels and outside") {
  // MinimalBilinear and Opset22.
  const Element half_down{0, 0, 0, 0, 0.5}, half_right{0, 1, 0, 0, 0.5};
  check_samples(image(),
                {uniform_but({1, 2, 2, 2}, 0, {half_down, half_right, {0, 1, 0, 1, -1}}), one_tap(), {2.5, 1, 3, 4}});
  check_samples(image(), {uniform_but({1, 2, 2, 2}, 0, {half_down, half_right}), one_tap(), {2.5, 2, 3, 4}});
  // OffsetAtPixelCenters, OutOfBoundsSampling, TinyOffset.
  check_samples(image(), {uniform_but({1, 8, 1, 1}, 0.5), uniform_but({1, 1, 2, 2}, 0.25), {1.6875}});
  check_samples(image(), {uniform_but({1, 2, 2, 2}, -5), one_tap(), {0, 0, 0, 0}});
  check_samples(uniform_but({1, 1, 1, 1}, 1), {uniform_but({1, 2, 1, 1}, 1e-6), one_tap(), {1}, 1e-4});
}

TEST_CASE("ONNX Runtime DeformConv: shapes and options over uniform inputs") {
  const std::vector<Uniform> cases = {
      {.name = "ForwardWithMaskAndBias",
       .input = {2, 4, 3, 3},
       .weight = {2, 2, 2, 2},
       .output = {2, 2, 2, 2},
       .options = {.bias = from_vector<double>({0.5, -0.5}), .groups = 2, .offset_groups = 2},
       .expected = {0.58, -0.42}},
      {.name = "ForwardNoMask",
       .input = {1, 2, 3, 3},
       .weight = {2, 2, 2, 2},
       .output = {1, 2, 2, 2},
       .expected = {0.08, 0.08},
       .masked = false},
      {.name = "AsymmetricPadding",
       .input = {1, 1, 3, 3},
       .weight = {1, 1, 2, 2},
       .output = {1, 1, 3, 3},
       .options = {.padding = {1, 0, 0, 1}},
       .expected = {0.02, 0.02, 0.01, 0.04, 0.04, 0.02, 0.04, 0.04, 0.02}},
      {.name = "NonSquareKernel",
       .input = {1, 1, 4, 5},
       .weight = {1, 1, 2, 3},
       .output = {1, 1, 3, 3},
       .expected = {0.06}},
      {.name = "AsymmetricStride",
       .input = {1, 1, 5, 4},
       .weight = {1, 1, 2, 2},
       .output = {1, 1, 2, 3},
       .options = {.stride = {2, 1}},
       .expected = {0.04}},
      {.name = "DilationGt1",
       .input = {1, 1, 5, 5},
       .weight = {1, 1, 2, 2},
       .output = {1, 1, 3, 3},
       .options = {.dilation = 2},
       .expected = {0.04}},
      {.name = "DecoupledGroups",
       .input = {1, 4, 3, 3},
       .weight = {2, 2, 2, 2},
       .output = {1, 2, 2, 2},
       .options = {.groups = 2, .offset_groups = 1},
       .expected = {0.08, 0.08}},
      {.name = "Group1OffsetGroup2",
       .input = {1, 4, 3, 3},
       .weight = {2, 4, 2, 2},
       .output = {1, 2, 2, 2},
       .options = {.groups = 1, .offset_groups = 2},
       .expected = {0.16, 0.16}},
      {.name = "MaskWithZeros",
       .input = {1, 1, 3, 3},
       .weight = {1, 1, 2, 2},
       .output = {1, 1, 2, 2},
       .expected = {0},
       .mask = 0},
      {.name = "ExtremeAspectRatio",
       .input = {1, 1, 1, 100},
       .weight = {1, 1, 1, 3},
       .output = {1, 1, 1, 98},
       .expected = {0.03}},
      {.name = "LargeBatchSize",
       .input = {64, 1, 3, 3},
       .weight = {1, 1, 2, 2},
       .output = {64, 1, 2, 2},
       .expected = {0.04}},
      {.name = "EmptyBatch", .input = {0, 2, 3, 3}, .weight = {2, 2, 2, 2}, .output = {0, 2, 2, 2}, .expected = {}},
  };
  for (const Uniform& u : cases) {
    for (const DType dtype : both_types) check(u, dtype);
  }
}

TEST_CASE("ONNX Runtime DeformConv: WrongOffsetShape, WrongMaskShape") {
  const Tensor x = uniform_but({1, 2, 3, 3}, 0.1), weight = uniform_but({2, 2, 2, 2}, 0.1),
               wrong = uniform_but({1, 2, 2, 2}, 0);
  CHECK_THROWS_WITH(
      deform_conv2d_nchw(x, wrong, weight),
      Equals("deform_conv2d: offset is [1, 2, 2, 2], expected [1, 2, 2, 8] (2 · offset_groups 1 · kernel 2×2)"));
  CHECK_THROWS_WITH(
      deform_conv2d_nchw(x, uniform_but({1, 8, 2, 2}, 0), weight, {.mask = wrong}),
      Equals("deform_conv2d: mask is [1, 2, 2, 2], expected [1, 2, 2, 4] (offset_groups 1 · kernel 2×2)"));
}
