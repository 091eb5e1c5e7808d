// Reductions of tensors: shapes, gradients, errors. The sums themselves are tested with the kernels.
#include "deft/core/reduce.h"

#include "deft/core/gradcheck.h"
#include "deft/core/random.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

TEST_CASE("reductions drop or keep their axes") {
  const Tensor x = arange(0, 24, 1, {.dtype = DType::float64});
  const Tensor cube = alias(x, {2, 3, 4});
  CHECK(sum(cube).shape() == Shape{});
  CHECK(sum(cube).item() == 276);
  CHECK(sum(cube, {1}).shape() == Shape{2, 4});
  CHECK(sum(cube, {0, -1}, true).shape() == Shape{1, 3, 1});
  CHECK(sum(cube, {0, -1}).to_vector<double>() == std::vector<double>{60, 92, 124});
  CHECK(mean(cube, {1, 2}).to_vector<double>() == std::vector<double>{5.5, 17.5});
  CHECK(max(cube, {2}).to_vector<double>() == std::vector<double>{3, 7, 11, 15, 19, 23});
  CHECK(min(cube, {0, 1, 2}).item() == 0);
  CHECK(argmax(cube).item<std::int64_t>() == 23);
  CHECK(argmax(cube, {0, 1}).to_vector<std::int64_t>() == std::vector<std::int64_t>{5, 5, 5, 5});
  CHECK(argmax(cube, {1}, true).shape() == Shape{2, 1, 4});
}

TEST_CASE("integers are summed as int64") {
  const Tensor bytes = full({1000}, 200, {.dtype = DType::uint8});
  CHECK(sum(bytes).item<std::int64_t>() == 200000);
  CHECK(sum(bytes).dtype() == DType::int64);
  CHECK(max(from_vector<std::int64_t>({3, 9, 4})).item<std::int64_t>() == 9);
}

TEST_CASE("gradients of reductions") {
  Generator generator(1);
  const std::vector<Tensor> inputs = {randn({3, 1, 4, 2}, {.dtype = DType::float64, .requires_grad = true}, generator)};
  using Function = Tensor (*)(const Tensor&, const std::vector<int>&, bool);
  for (const Function function : {sum, mean, max, min}) {
    for (const auto& axes : {std::vector<int>{}, {0}, {-1}, {1, 2}, {0, 3}}) {
      for (bool keepdim : {false, true}) {
        const auto result = gradcheck([&](const auto& x) { return function(x[0], axes, keepdim); }, inputs);
        INFO(result.message);
        CHECK(result.ok);
      }
    }
  }
}

TEST_CASE("equal extrema share the gradient") {
  const Tensor x = from_vector<double>({5, 1, 5, 2}).set_requires_grad();
  max(x).backward();
  CHECK(x.grad().to_vector<double>() == std::vector<double>{0.5, 0, 0.5, 0});
}

TEST_CASE("reduction errors") {
  const Tensor x = zeros({2, 0, 3});
  CHECK(sum(x, {1}).to_vector<float>() == std::vector<float>(6, 0.0f));
  CHECK_THROWS_WITH(max(x, {1}), "max: shape is [2, 0, 3], nothing to reduce");
  CHECK(max(x, {0}).shape() == Shape{0, 3});
  CHECK_THROWS_WITH(sum(x, {3}), Contains("sum: axis is 3"));
  CHECK_THROWS_WITH(mean(x, {0, -3}), Contains("mean: axis -3 is given twice"));
  CHECK_THROWS_WITH(mean(zeros({2}, {.dtype = DType::int64})), Contains("mean: dtype is int64"));
}
