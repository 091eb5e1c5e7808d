// The deformable convolution layer. Values of the kernels: tests/kernels and the golden file.
#include "deft/layers/deform_conv2d.h"

#include <algorithm>
#include <cmath>

#include "deft/core/elementwise.h"
#include "deft/core/gradcheck.h"
#include "deft/core/reduce.h"
#include "deft/core/shape_ops.h"
#include "deft/core/trace.h"
#include "deft/layers/activation.h"

#include "catch.h"
#include "random_tensor.h"

using namespace deft;
using Catch::Matchers::Equals;

namespace {

double largest_difference(const Tensor& a, const Tensor& b) { return max(abs(a - b)).item(); }

}  // namespace

TEST_CASE("deform_conv2d with whole offsets shifts the image") {
  const Tensor x = from_vector<double>({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 3, 3, 1});
  const Tensor weight = from_vector<double>({1}, {1, 1, 1, 1});
  std::vector<double> down_left;  // (dy, dx) = (1, −1) for each pixel
  for (int pixel = 0; pixel < 9; ++pixel) down_left.insert(down_left.end(), {1, -1});
  const Tensor y = deform_conv2d(x, from_vector(down_left, {1, 3, 3, 2}), weight);
  CHECK(y.to_vector<double>() == std::vector<double>{0, 4, 5, 0, 7, 8, 0, 0, 0});
}

TEST_CASE("deform_conv2d with zero offsets and a mask of ones is conv2d") {
  const Tensor x = random_tensor({2, 7, 6, 4}, 1), weight = random_tensor({6, 3, 2, 2}, 2),
               bias = random_tensor({6}, 3);
  const Tensor expected =
      conv2d(x, weight, {.bias = bias, .stride = {2, 1}, .padding = {1, 0, 2, 1}, .dilation = {1, 2}, .groups = 2});
  const TensorOptions type{.dtype = DType::float64};
  const Tensor y = deform_conv2d(x, zeros({2, expected.size(1), expected.size(2), 24}, type), weight,
                                 {.mask = ones({2, expected.size(1), expected.size(2), 12}, type),
                                  .bias = bias,
                                  .stride = {2, 1},
                                  .padding = {1, 0, 2, 1},
                                  .dilation = {1, 2},
                                  .groups = 2,
                                  .offset_groups = 2});
  CHECK(largest_difference(y, expected) < 1e-12);
}

TEST_CASE("gradients of deform_conv2d over an option grid") {
  struct Case {
    Size2 kernel, stride;
    Padding2 padding;
    Size2 dilation;
    std::int64_t groups, offset_groups;
  };
  for (const Case& c : {Case{3, 1, 1, 1, 1, 1}, Case{1, 1, 0, 1, 2, 4}, Case{{2, 3}, {2, 1}, {0, 1, 2, 0}, 1, 1, 2},
                        Case{3, {1, 3}, {2, 1, 0, 3}, {2, 1}, 2, 1}, Case{{3, 1}, 2, 2, {1, 2}, 4, 2}}) {
    CAPTURE(to_string(c.kernel), to_string(c.stride), to_string(c.padding), to_string(c.dilation), c.groups,
            c.offset_groups);
    DeformConv2dFunctionOptions options{.stride = c.stride,
                                        .padding = c.padding,
                                        .dilation = c.dilation,
                                        .groups = c.groups,
                                        .offset_groups = c.offset_groups};
    const Tensor x = random_tensor({2, 6, 5, 4}, 1),
                 weight = random_tensor({4, c.kernel.h, c.kernel.w, 4 / c.groups}, 2);
    const Shape out =
        conv2d(x, weight, {.stride = c.stride, .padding = c.padding, .dilation = c.dilation, .groups = c.groups})
            .shape();
    const std::int64_t taps = c.offset_groups * c.kernel.h * c.kernel.w;
    const Tensor offset = random_tensor({2, out[1], out[2], 2 * taps}, 3),
                 mask = random_tensor({2, out[1], out[2], taps}, 4);
    const auto v2 = gradcheck(
        [options](const std::vector<Tensor>& t) mutable {
          options.mask = t[3];
          options.bias = t[4];
          return deform_conv2d(t[0], t[1], t[2], options);
        },
        {x, offset, weight, mask, random_tensor({4}, 5)});
    INFO(v2.message);
    CHECK(v2.ok);
    const auto v1 =
        gradcheck([&](const auto& t) { return deform_conv2d(t[0], t[1], t[2], options); }, {x, offset, weight});
    INFO(v1.message);
    CHECK(v1.ok);
  }
}

TEST_CASE("convolutions take inputs that begin anywhere in memory") {
  // One element beyond the beginning of an allocation, where no vector of channels is aligned.
  const auto image = [](const Tensor& flat) { return reshape(slice(flat, 0, 1, flat.size(0)), {1, 4, 3, 4}); };
  const Tensor flat = random_tensor({1 + 48}, 1), weight = random_tensor({2, 2, 2, 4}, 2),
               offset = random_tensor({1, 3, 2, 8}, 3);
  const auto plain = gradcheck([&](const auto& t) { return conv2d(image(t[0]), t[1]); }, {flat, weight});
  INFO(plain.message);
  CHECK(plain.ok);
  const auto deformed =
      gradcheck([&](const auto& t) { return deform_conv2d(image(t[0]), t[1], t[2]); }, {flat, offset, weight});
  INFO(deformed.message);
  CHECK(deformed.ok);
}

TEST_CASE("DeformConv2d starts as a convolution and trains its offsets and mask") {
  DeformConv2d layer(4, 6, {.stride = 2, .padding = 1, .modulated = true, .mask_scale = 2});
  layer.to(DType::float64);
  const Tensor x = random_tensor({2, 7, 6, 4});
  const Tensor y = layer(x);
  CHECK(largest_difference(y, conv2d(x, layer.weight, {.bias = layer.bias, .stride = 2, .padding = 1})) < 1e-12);
  sum(y * random_tensor(y.shape(), 1)).backward();
  for (const auto& [name, parameter] : layer.named_parameters()) {
    INFO(name);
    REQUIRE(parameter.grad().defined());
    CHECK(max(abs(parameter.grad())).item() > 0);
  }
}

TEST_CASE("DeformConv2d is deform_conv2d of what its side convolutions predict") {
  for (const bool biased : {true, false}) {
    const DeformConv2dOptions options{.kernel_size = {3, 2},
                                      .stride = 2,
                                      .padding = 1,
                                      .offset_groups = 2,
                                      .modulated = true,
                                      .mask_scale = 2,
                                      .offset_clamp_fraction = 0.05,
                                      .offset_bias = biased,
                                      .zero_offset_init = false};
    DeformConv2d layer(4, 6, options);
    layer.to(DType::float64);
    const Tensor x = random_tensor({2, 7, 6, 4}).set_requires_grad(),
                 same = random_tensor({2, 7, 6, 4}).set_requires_grad();
    const Tensor y = layer(x), g = random_tensor(y.shape(), 1);
    sum(y * g).backward();
    std::vector<Tensor> found{x.grad()};
    for (const Tensor& parameter : layer.parameters()) found.push_back(parameter.grad());
    layer.zero_grad();
    const Tensor offset = clamp(layer.offset_conv(same), -0.35, 0.35), mask = sigmoid((*layer.mask_conv)(same)) * 2;
    const Tensor expected = deform_conv2d(
        same, offset, layer.weight, {.mask = mask, .bias = layer.bias, .stride = 2, .padding = 1, .offset_groups = 2});
    CHECK(largest_difference(y, expected) < 1e-12);
    CHECK(largest_difference(layer.offset(x), offset) < 1e-12);
    sum(expected * g).backward();
    CHECK(largest_difference(found[0], same.grad()) < 1e-12);
    for (std::size_t i = 0; i + 1 < found.size(); ++i) {
      CHECK(largest_difference(found[i + 1], layer.parameters()[i].grad()) < 1e-12);
    }
  }
}

TEST_CASE("DeformConv2d has its side convolutions as children") {
  const auto names = [](const DeformConv2d& layer) {
    std::vector<std::string> result;
    for (const auto& [name, parameter] : layer.named_parameters()) result.push_back(name);
    std::sort(result.begin(), result.end());
    return result;
  };
  using Names = std::vector<std::string>;
  CHECK(names(DeformConv2d(4, 6)) == Names{"bias", "offset_conv.bias", "offset_conv.weight", "weight"});
  CHECK(names(DeformConv2d(4, 6, {.bias = false, .modulated = true, .offset_bias = false})) ==
        Names{"mask_conv.weight", "offset_conv.weight", "weight"});
  const DeformConv2d layer(4, 6, {.kernel_size = {3, 2}, .offset_groups = 2, .modulated = true});
  CHECK(layer.offset_conv.weight->shape() == Shape{24, 3, 2, 4});
  CHECK(layer.mask_conv->weight->shape() == Shape{12, 3, 2, 4});
  for (const float value : layer.offset_conv.weight->to_vector<float>()) REQUIRE(value == 0);
  const DeformConv2d drawn(4, 6, {.zero_offset_init = false});
  CHECK(max(abs(drawn.offset_conv.weight.get())).item() > 0);
}

TEST_CASE("a copy of DeformConv2d shares its parts and a clone has its own") {
  DeformConv2d layer(2, 3, {.padding = 1, .modulated = true});
  DeformConv2d copy = layer, deep = clone(layer);
  layer.mask_conv->weight->detach().fill_(0.5);
  CHECK(copy.mask_conv->weight->to_vector<float>()[0] == 0.5f);
  CHECK(deep.mask_conv->weight->to_vector<float>()[0] == 0);
  const Tensor x = random_tensor({1, 4, 4, 2}).to(DType::float32);
  CHECK(largest_difference(layer(x), copy(x)) == 0);
  CHECK(largest_difference(layer(x), deep(x)) > 0);
}

TEST_CASE("DeformConv2d clamps offsets by pixels or by the image's longer side") {
  const Tensor x = ones({1, 4, 8, 1});
  const auto largest = [&](DeformConv2d layer, double bias) {
    layer.offset_conv.bias->detach().fill_(bias);
    const Tensor offset = layer.offset(x);
    CHECK(min(offset).item() == max(offset).item());
    return max(offset).item();
  };
  CHECK(largest(DeformConv2d(1, 1, {.padding = 1}), 30) == 30);
  CHECK(largest(DeformConv2d(1, 1, {.padding = 1, .offset_clamp = 1.5}), 30) == 1.5);
  CHECK(largest(DeformConv2d(1, 1, {.padding = 1, .offset_clamp_fraction = 0.25}), -30) == -2);
}

TEST_CASE("deform_conv2d reports its options to traces") {
  const Trace trace;
  DeformConv2d(2, 4, {.kernel_size = 1, .offset_groups = 2})(zeros({1, 3, 3, 2}));
  REQUIRE(trace.ops().size() == 2);
  const TracedOp& op = trace.ops()[1];
  CHECK(op.op == "deform_conv2d");
  CHECK(op.inputs.size() == 5);
  CHECK(op.inputs[3].id == 0);
  CHECK(op.attributes[4].name == "offset_groups");
  CHECK(std::get<std::int64_t>(op.attributes[4].value) == 2);
  CHECK(op.info.multiply_adds == 3 * 3 * 4 * 2);
  REQUIRE(op.info.sampling);
  CHECK(op.info.sampling->offset_input == 1);
  CHECK_FALSE(op.info.sampling->mask_input);

  DeformConv2d(1, 1, {.kernel_size = 1, .modulated = true})(zeros({1, 3, 3, 1}));
  REQUIRE(trace.ops().back().info.sampling);
  CHECK(trace.ops().back().info.sampling->mask_input == 3);
}

TEST_CASE("deform_conv2d says what does not fit") {
  const Tensor x = zeros({2, 14, 14, 4}), weight = zeros({6, 3, 3, 4});
  const Tensor offset = zeros({2, 14, 14, 18});
  CHECK_THROWS_WITH(
      deform_conv2d(x, zeros({2, 14, 14, 16}), weight, {.padding = 1}),
      Equals("deform_conv2d: offset is [2, 14, 14, 16], expected [2, 14, 14, 18] (2 · offset_groups 1 · kernel 3×3)"));
  CHECK_THROWS_WITH(
      deform_conv2d(x, offset, weight, {.mask = zeros({2, 14, 14, 18}), .padding = 1}),
      Equals("deform_conv2d: mask is [2, 14, 14, 18], expected [2, 14, 14, 9] (offset_groups 1 · kernel 3×3)"));
  CHECK_THROWS_WITH(deform_conv2d(x, offset, weight, {.padding = 1, .offset_groups = 3}),
                    Equals("deform_conv2d: offset_groups is 3, expected a divisor of the 4 input channels"));
  CHECK_THROWS_WITH(
      deform_conv2d(x, offset, zeros({6, 3, 3, 2}), {.padding = 1}),
      Equals("deform_conv2d: weight is [6, 3, 3, 2], expected [6, 3, 3, 4] (4 input channels / groups 1)"));
  CHECK_THROWS_WITH(DeformConv2d(4, 6, {.offset_groups = 3}),
                    Equals("DeformConv2d: offset_groups is 3, expected a divisor of in_channels 4"));
  CHECK_THROWS_WITH(DeformConv2d(4, 6, {.offset_clamp = -1}),
                    Equals("DeformConv2d: offset_clamp is -1, expected at least 0"));
  CHECK_THROWS_WITH(DeformConv2d(4, 6, {.offset_clamp = 2, .offset_clamp_fraction = 0.25}),
                    Equals("DeformConv2d: offset_clamp is 2 and offset_clamp_fraction is 0.25, expected one of them"));
  CHECK_THROWS_WITH(DeformConv2d(4, 6, {.groups = 3}),
                    Equals("DeformConv2d: groups is 3, expected a divisor of the 4 input and the 6 output channels"));
}
