// Pooling layers: gradients over an option grid, shapes, traces and what they refuse. Values: tests/kernels and the
// golden file.
#include "deft/core/gradcheck.h"
#include "deft/core/trace.h"
#include "deft/layers/adaptive_avg_pool2d.h"
#include "deft/layers/avg_pool2d.h"
#include "deft/layers/max_pool2d.h"

#include "catch.h"
#include "random_tensor.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

namespace {

struct Window {
  Size2 kernel_size, stride;
  Padding2 padding;
  bool ceil_mode;
};

std::vector<Window> windows() {
  std::vector<Window> result;
  for (bool ceil_mode : {false, true}) {
    result.push_back({2, {}, 0, ceil_mode});
    result.push_back({3, 2, 1, ceil_mode});
    result.push_back({{3, 2}, {1, 3}, {1, 0}, ceil_mode});
    result.push_back({{2, 5}, 1, {0, 1, 2, 1}, ceil_mode});
    result.push_back({1, 2, 0, ceil_mode});
  }
  return result;
}

void check_gradient(const std::function<Tensor(const Tensor&)>& pool) {
  const auto result =
      gradcheck([&](const std::vector<Tensor>& inputs) { return pool(inputs[0]); }, {random_tensor({2, 7, 6, 3})});
  INFO(result.message);
  CHECK(result.ok);
}

}  // namespace

TEST_CASE("gradients of max and average pooling over a grid of windows") {
  for (const Window& w : windows()) {
    CAPTURE(to_string(w.kernel_size), to_string(w.stride), to_string(w.padding), w.ceil_mode);
    check_gradient([&](const Tensor& x) {
      return max_pool2d(
          x, {.kernel_size = w.kernel_size, .stride = w.stride, .padding = w.padding, .ceil_mode = w.ceil_mode});
    });
    for (bool count_include_pad : {true, false}) {
      check_gradient([&](const Tensor& x) {
        return avg_pool2d(x, {.kernel_size = w.kernel_size,
                              .stride = w.stride,
                              .padding = w.padding,
                              .ceil_mode = w.ceil_mode,
                              .count_include_pad = count_include_pad});
      });
    }
  }
}

TEST_CASE("gradients of adaptive and global average pooling") {
  for (Size2 size : {Size2(1), Size2(3, 2), Size2(7, 6), Size2(9, 4)}) {
    check_gradient([&](const Tensor& x) { return adaptive_avg_pool2d(x, size); });
  }
  check_gradient([](const Tensor& x) { return global_avg_pool2d(x); });
}

TEST_CASE("pooling modules do what the functions do") {
  const Tensor x = random_tensor({2, 6, 4, 3});
  CHECK(MaxPool2d({.kernel_size = 3, .stride = 1})(x).to_vector<double>() ==
        max_pool2d(x, {.kernel_size = 3, .stride = 1}).to_vector<double>());
  CHECK(AvgPool2d({.padding = 1, .count_include_pad = false})(x).to_vector<double>() ==
        avg_pool2d(x, {.padding = 1, .count_include_pad = false}).to_vector<double>());
  CHECK(AdaptiveAvgPool2d(2)(x).shape() == Shape{2, 2, 2, 3});
  CHECK(GlobalAvgPool2d()(x).shape() == Shape{2, 3});
  CHECK(GlobalAvgPool2d()(x).to_vector<double>() == AdaptiveAvgPool2d(1)(x).to_vector<double>());
}

TEST_CASE("windows of more than 256 pixels pool and backpropagate") {
  Tensor x = zeros({1, 17, 17, 2}, {.dtype = DType::float64, .requires_grad = true});
  alias(x, {}, 2 * 288 + 1).fill_(3);
  const Tensor y = max_pool2d(x, {.kernel_size = 17});
  CHECK(y.to_vector<double>() == std::vector<double>{0, 3});
  y.backward({.gradient = full({1, 1, 1, 2}, 7, {.dtype = DType::float64})});
  const auto grad = x.grad().to_vector<double>();
  CHECK(grad[0] == 7);
  CHECK(grad[2 * 288 + 1] == 7);
}

TEST_CASE("pooling keeps empty batches") {
  CHECK(max_pool2d(zeros({0, 4, 4, 2})).shape() == Shape{0, 2, 2, 2});
  CHECK(avg_pool2d(zeros({3, 4, 4, 0})).shape() == Shape{3, 2, 2, 0});
  CHECK(global_avg_pool2d(zeros({0, 4, 4, 2})).shape() == Shape{0, 2});
}

TEST_CASE("pooling reports its options to traces") {
  const Trace trace;
  max_pool2d(zeros({1, 5, 5, 1}), {.kernel_size = {3, 2}, .stride = 1, .padding = {1, 0, 1, 0}, .ceil_mode = true});
  avg_pool2d(zeros({1, 5, 5, 1}));
  REQUIRE(trace.ops().size() == 2);
  CHECK(trace.ops()[0].op == "max_pool2d");
  const auto sizes = [&](std::size_t op, std::size_t attribute) {
    return std::get<std::vector<std::int64_t>>(trace.ops()[op].attributes[attribute].value);
  };
  CHECK(sizes(0, 0) == std::vector<std::int64_t>{3, 2});
  CHECK(sizes(0, 1) == std::vector<std::int64_t>{1, 1});
  CHECK(sizes(0, 2) == std::vector<std::int64_t>{1, 0, 1, 0});
  CHECK(std::get<bool>(trace.ops()[0].attributes[3].value));
  CHECK(sizes(1, 1) == std::vector<std::int64_t>{2, 2});
  CHECK(trace.ops()[1].attributes[4].name == "count_include_pad");
  const auto sampling = [&](std::size_t op) { return trace.ops()[op].info.sampling.value(); };
  CHECK((sampling(0).kernel_h == 3 && sampling(0).kernel_w == 2 && sampling(0).stride_h == 1));
  CHECK((sampling(0).pad_top == 1 && sampling(0).pad_left == 1));
  CHECK(sampling(1).stride_w == 2);
  CHECK(trace.ops()[1].info.multiply_adds == 0);
}

TEST_CASE("pooling says what does not fit") {
  const Tensor x = zeros({1, 4, 4, 2});
  CHECK_THROWS_WITH(max_pool2d(zeros({4, 4, 2})), Equals("max_pool2d: input is [4, 4, 2], expected [N, H, W, C]"));
  CHECK_THROWS_WITH(max_pool2d(x, {.kernel_size = {5, 2}}),
                    Equals("max_pool2d: kernel_size is 5×2, larger than the padded input 4×4"));
  CHECK_THROWS_WITH(avg_pool2d(x, {.kernel_size = 3, .padding = {0, 2}}),
                    Equals("avg_pool2d: padding is [0, 0, 2, 2], expected from 0 to half of kernel_size 3×3"));
  CHECK_THROWS_WITH(avg_pool2d(x, {.kernel_size = 0}), Equals("avg_pool2d: kernel_size is 0×0, expected at least 1"));
  CHECK_THROWS_WITH(max_pool2d(x, {.stride = {1, -1}}), Equals("max_pool2d: stride is 1×-1, expected at least 1"));
  CHECK_THROWS_WITH(max_pool2d(zeros({1, 4, 4, 2}, {.dtype = DType::uint8})),
                    Equals("max_pool2d: dtype is uint8, expected float32 or float64"));
  CHECK_THROWS_WITH(adaptive_avg_pool2d(x, {0, 3}),
                    Equals("adaptive_avg_pool2d: output_size is 0×3, expected at least 1"));
  CHECK_THROWS_WITH(global_avg_pool2d(zeros({1, 0, 4, 2})),
                    Equals("global_avg_pool2d: input is [1, 0, 4, 2], expected at least one pixel"));
}

TEST_CASE("pooling windows that would overflow are refused") {
  const Tensor input = zeros({1, 4, 4, 1});
  const std::int64_t huge = std::int64_t{1} << 62;
  CHECK_THROWS_WITH(max_pool2d(input, {.kernel_size = huge, .padding = huge / 2}),
                    Contains("max_pool2d: kernel_size is") && Contains("expected below 2147483648"));
  CHECK_THROWS_WITH(avg_pool2d(input, {.stride = huge, .ceil_mode = true}),
                    Contains("avg_pool2d: stride is") && Contains("expected below 2147483648"));
  CHECK_THROWS_WITH(adaptive_avg_pool2d(input, huge), Contains("expected below 2147483648"));
}
