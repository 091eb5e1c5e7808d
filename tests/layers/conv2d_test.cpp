// The convolution layer. Values of the kernels: tests/kernels and the golden file.
#include "deft/layers/conv2d.h"

#include <cmath>

#include "deft/core/gradcheck.h"
#include "deft/core/trace.h"

#include "catch.h"
#include "random_tensor.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

TEST_CASE("conv2d by hand") {
  // A 2×2 kernel over a 3×3 image, with a column of zeros on the right.
  const Tensor x = from_vector<double>({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 3, 3, 1});
  const Tensor weight = from_vector<double>({1, 10, 100, 1000}, {1, 2, 2, 1}), bias = from_vector<double>({0.5});
  const Tensor y = conv2d(x, weight, {.bias = bias, .padding = {0, 0, 0, 1}});
  CHECK(y.shape() == Shape{1, 2, 3, 1});
  CHECK(y.to_vector<double>() == std::vector<double>{5421.5, 6532.5, 603.5, 8754.5, 9865.5, 906.5});
}

TEST_CASE("gradients of conv2d over an option grid") {
  struct Case {
    Size2 kernel, stride;
    Padding2 padding;
    Size2 dilation;
    std::int64_t groups;
  };
  for (const Case& c : {Case{3, 1, 1, 1, 1}, Case{1, 1, 0, 1, 2}, Case{{2, 3}, {2, 1}, {0, 1, 2, 0}, 1, 1},
                        Case{3, {1, 3}, {2, 1, 0, 3}, {2, 1}, 2}, Case{{4, 1}, 3, 2, {1, 2}, 4}, Case{2, 4, 0, 2, 1}}) {
    CAPTURE(to_string(c.kernel), to_string(c.stride), to_string(c.padding), to_string(c.dilation), c.groups);
    const std::vector<Tensor> inputs = {random_tensor({2, 7, 6, 4}, 1),
                                        random_tensor({8, c.kernel.h, c.kernel.w, 4 / c.groups}, 2),
                                        random_tensor({8}, 3)};
    const Conv2dFunctionOptions options{
        .stride = c.stride, .padding = c.padding, .dilation = c.dilation, .groups = c.groups};
    const auto result = gradcheck(
        [&](const std::vector<Tensor>& x) {
          Conv2dFunctionOptions with_bias = options;
          with_bias.bias = x[2];
          return conv2d(x[0], x[1], with_bias);
        },
        inputs);
    INFO(result.message);
    CHECK(result.ok);
    CHECK(gradcheck([&](const auto& x) { return conv2d(x[0], x[1], options); }, {inputs[0], inputs[1]}).ok);
  }
}

TEST_CASE("conv2d keeps empty batches and gives them zero gradients") {
  const Tensor weight = random_tensor({3, 3, 3, 2});
  const Tensor x = zeros({0, 5, 5, 2}, {.dtype = DType::float64, .requires_grad = true});
  const Tensor y = conv2d(x, weight);
  CHECK(y.shape() == Shape{0, 3, 3, 3});
  y.backward({.gradient = zeros(y.shape(), {.dtype = DType::float64})});
  CHECK(weight.grad().to_vector<double>() == std::vector<double>(54, 0.0));
  CHECK(x.grad().shape() == x.shape());
}

TEST_CASE("Conv2d has PyTorch's parameters") {
  Conv2d conv(8, 6, {.kernel_size = {3, 2}, .stride = 2, .padding = 1, .groups = 2});
  CHECK(conv.weight->shape() == Shape{6, 3, 2, 4});
  CHECK(conv.num_parameters() == 6 * 3 * 2 * 4 + 6);
  CHECK(Conv2d(8, 6, {.bias = false}).num_parameters() == 6 * 9 * 8);
  for (const Tensor& parameter : conv.parameters()) {
    for (const float value : parameter.to_vector<float>()) REQUIRE(std::abs(value) <= 1 / std::sqrt(24.0f));
  }
  const Tensor x = random_tensor({2, 7, 5, 8}).to(DType::float32);
  CHECK(conv(x).shape() == Shape{2, 4, 3, 6});
  CHECK(conv(x).to_vector<float>() ==
        conv2d(x, conv.weight, {.bias = conv.bias, .stride = 2, .padding = 1, .groups = 2}).to_vector<float>());
}

TEST_CASE("conv2d reports its options to traces") {
  const Trace trace;
  conv2d(zeros({1, 5, 5, 2}), zeros({4, 3, 3, 1}),
         {.stride = {1, 2}, .padding = {1, 0, 2, 0}, .dilation = 2, .groups = 2});
  REQUIRE(trace.ops().size() == 1);
  const TracedOp& op = trace.ops()[0];
  CHECK(op.op == "conv2d");
  CHECK(op.inputs.size() == 3);
  const auto sizes = [&](std::size_t i) { return std::get<std::vector<std::int64_t>>(op.attributes[i].value); };
  CHECK(sizes(0) == std::vector<std::int64_t>{1, 2});
  CHECK(sizes(1) == std::vector<std::int64_t>{1, 0, 2, 0});
  CHECK(sizes(2) == std::vector<std::int64_t>{2, 2});
  CHECK(std::get<std::int64_t>(op.attributes[3].value) == 2);
  CHECK(op.info.multiply_adds == 2 * 2 * 4 * 9);  // rows, columns, outputs, taps of one channel
  REQUIRE(op.info.sampling);
  const SamplingGeometry& sampling = *op.info.sampling;
  CHECK((sampling.kernel_h == 3 && sampling.kernel_w == 3 && sampling.stride_h == 1 && sampling.stride_w == 2));
  CHECK((sampling.pad_top == 1 && sampling.pad_left == 2 && sampling.dilation_h == 2 && sampling.dilation_w == 2));
  CHECK((!sampling.offset_input && !sampling.mask_input));
}

TEST_CASE("conv2d says what does not fit") {
  const Tensor x = zeros({1, 4, 4, 6}), weight = zeros({8, 3, 3, 6});
  CHECK_THROWS_WITH(conv2d(zeros({4, 4, 6}), weight), Equals("conv2d: input is [4, 4, 6], expected [N, H, W, C]"));
  CHECK_THROWS_WITH(conv2d(x, zeros({8, 9})),
                    Equals("conv2d: weight is [8, 9], expected [O, kernel_h, kernel_w, C / groups]"));
  CHECK_THROWS_WITH(conv2d(x, weight, {.groups = 2}),
                    Equals("conv2d: weight is [8, 3, 3, 6], expected [8, 3, 3, 3] (6 input channels / groups 2)"));
  CHECK_THROWS_WITH(conv2d(x, weight, {.groups = 4}),
                    Equals("conv2d: groups is 4, expected a divisor of the 6 input and the 8 output channels"));
  CHECK_THROWS_WITH(conv2d(x, weight, {.groups = 0}),
                    Equals("conv2d: groups is 0, expected a divisor of the 6 input and the 8 output channels"));
  CHECK_THROWS_WITH(conv2d(x, weight, {.bias = zeros({6})}),
                    Equals("conv2d: bias is [6], expected [8] (output channels of weight [8, 3, 3, 6])"));
  CHECK_THROWS_WITH(
      conv2d(x, weight, {.dilation = 2}),
      Equals("conv2d: the kernel covers 5×5 (kernel 3×3, dilation 2×2), larger than the padded input 4×4"));
  CHECK_THROWS_WITH(conv2d(x, zeros({8, 0, 3, 6})), Equals("conv2d: the kernel of weight is 0×3, expected at least 1"));
  CHECK_THROWS_WITH(conv2d(x, weight, {.stride = {1, 0}}), Equals("conv2d: stride is 1×0, expected at least 1"));
  CHECK_THROWS_WITH(conv2d(x, weight, {.padding = {0, -1}}),
                    Equals("conv2d: padding is [0, 0, -1, -1], expected at least 0"));
  CHECK_THROWS_WITH(conv2d(x, zeros({8, 3, 3, 6}, {.dtype = DType::float64})),
                    Equals("conv2d: weight is float64, but input is float32; convert with to()"));
  const TensorOptions bytes{.dtype = DType::uint8};
  CHECK_THROWS_WITH(conv2d(zeros({1, 4, 4, 6}, bytes), zeros({8, 3, 3, 6}, bytes)),
                    Equals("conv2d: dtype is uint8, expected float32 or float64"));
  CHECK_THROWS_WITH(Conv2d(0, 3), Equals("Conv2d: in_channels is 0, out_channels is 3, expected at least 1"));
  CHECK_THROWS_WITH(Conv2d(4, 6, {.groups = 4}),
                    Equals("Conv2d: groups is 4, expected a divisor of the 4 input and the 6 output channels"));
  CHECK_THROWS_WITH(Conv2d(4, 6, {.kernel_size = 0}), Equals("Conv2d: kernel_size is 0×0, expected at least 1"));
}

TEST_CASE("options that would overflow are refused") {
  const Tensor input = zeros({1, 4, 4, 1}), weight = zeros({1, 3, 3, 1});
  const std::int64_t huge = std::int64_t{1} << 62, most = INT64_MAX;
  CHECK_THROWS_WITH(conv2d(input, weight, {.dilation = huge}),
                    Contains("conv2d: dilation is") && Contains("expected below 2147483648"));
  CHECK_THROWS_WITH(conv2d(input, weight, {.padding = most}),
                    Contains("conv2d: padding is") && Contains("expected below 2147483648"));
  CHECK_THROWS_WITH(conv2d(input, weight, {.stride = most}), Contains("expected below 2147483648"));
  CHECK_THROWS_WITH(Conv2d(1, 1, {.kernel_size = huge}), Contains("expected below 2147483648"));
}
