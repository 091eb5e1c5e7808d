// Elementwise functions of tensors: values, gradients, broadcasting, errors.
#include "deft/core/elementwise.h"

#include <cmath>

#include "deft/core/autograd.h"
#include "deft/core/gradcheck.h"
#include "deft/core/random.h"
#include "deft/core/trace.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

Tensor vector(std::vector<double> values) { return from_vector(values); }
std::vector<double> values(const Tensor& tensor) { return tensor.to_vector<double>(); }

// Positive and away from the kinks of abs, clamp, minimum and maximum.
Tensor positive(const Shape& shape, Generator& generator) {
  Tensor x = rand(shape, {.dtype = DType::float64}, generator) + 0.5;
  return x.set_requires_grad();
}

}  // namespace

TEST_CASE("operators take tensors and numbers") {
  const Tensor a = vector({1, 2}), b = vector({4, 8});
  CHECK(values(a + b) == std::vector<double>{5, 10});
  CHECK(values(a - b) == std::vector<double>{-3, -6});
  CHECK(values(a * b) == std::vector<double>{4, 16});
  CHECK(values(a / b) == std::vector<double>{0.25, 0.25});
  CHECK(values(-a) == std::vector<double>{-1, -2});
  CHECK(values(2 * a + 1) == std::vector<double>{3, 5});
  CHECK(values(1 - a / 2) == std::vector<double>{0.5, 0});
  CHECK(values(8 / b - 0.5) == std::vector<double>{1.5, 0.5});
  CHECK(values(1 + pow(b, 2)) == std::vector<double>{17, 65});
  CHECK((a.to(DType::float32) * 0.5).dtype() == DType::float32);
  const Tensor integers = from_vector<std::int64_t>({3, -4});
  CHECK((integers * 2 - 1).to_vector<std::int64_t>() == std::vector<std::int64_t>{5, -9});
  CHECK(abs(integers).to_vector<std::int64_t>() == std::vector<std::int64_t>{3, 4});
}

TEST_CASE("comparisons and where") {
  const Tensor a = vector({1, 2, 3});
  CHECK(lt(a, 2).to_vector<std::uint8_t>() == std::vector<std::uint8_t>{1, 0, 0});
  CHECK(ge(a, vector({2})).to_vector<std::uint8_t>() == std::vector<std::uint8_t>{0, 1, 1});
  CHECK(values(where(gt(a, 2), a, vector({0}))) == std::vector<double>{0, 0, 3});
  CHECK(values(clamp(a, 1.5, 2.5)) == std::vector<double>{1.5, 2, 2.5});
}

TEST_CASE("gradients of binary functions over broadcast shapes") {
  Generator generator(1);
  struct Case {
    Shape a, b;
  };
  for (const auto& [a, b] :
       {Case{{2, 3}, {2, 3}}, {{2, 3}, {3}}, {{4, 1}, {1, 3}}, {{2, 1, 3}, {}}, {{1}, {2, 2}}, {{0, 3}, {3}}}) {
    const std::vector<Tensor> inputs = {positive(a, generator), positive(b, generator)};
    using Function = Tensor (*)(const Tensor&, const Tensor&);
    for (const Function function : {Function(operator+), Function(operator-), Function(operator*), Function(operator/),
                                    Function(pow), Function(minimum), Function(maximum)}) {
      const auto result = gradcheck([&](const auto& x) { return function(x[0], x[1]); }, inputs);
      INFO(to_string(a) << " and " << to_string(b) << ": " << result.message);
      CHECK(result.ok);
    }
  }
}

TEST_CASE("gradients of functions of one tensor and a number") {
  Generator generator(2);
  const std::vector<Tensor> inputs = {positive({3, 4}, generator)};
  using Function = Tensor (*)(const Tensor&);
  for (const Function function :
       {Function(abs), Function(exp), Function(log), Function(sqrt), Function(operator-),
        Function([](const Tensor& x) { return abs(-x); }), Function([](const Tensor& x) { return clamp(x, 0.8, 1.2); }),
        Function([](const Tensor& x) { return 2 / x + 3 * x - 1 / (4 - x); }),
        Function([](const Tensor& x) { return pow(x, 3) - pow(x, 0.5); })}) {
    const auto result = gradcheck([&](const auto& x) { return function(x[0]); }, inputs);
    INFO(result.message);
    CHECK(result.ok);
  }
}

TEST_CASE("where sends gradients to the chosen side") {
  Generator generator(3);
  const Tensor condition = from_vector<std::uint8_t>({1, 0, 1}, {3});
  const std::vector<Tensor> inputs = {positive({2, 3}, generator), positive({2, 1}, generator)};
  const auto result = gradcheck([&](const auto& x) { return where(condition, x[0], x[1]); }, inputs);
  INFO(result.message);
  CHECK(result.ok);
}

TEST_CASE("log1p is exact near 0, and its gradient 1 / (1 + x)") {
  const Tensor x = from_vector<double>({1e-12, 3}).set_requires_grad();
  const Tensor y = log1p(x);
  CHECK(y.to_vector<double>()[0] == Approx(1e-12).epsilon(1e-11));
  CHECK(y.to_vector<double>()[1] == Approx(std::log(4.0)));
  y.backward({.gradient = from_vector<double>({1, 2})});
  CHECK(x.grad().to_vector<double>()[1] == Approx(0.5));
}

TEST_CASE("elementwise errors name the function and what was found") {
  const Tensor a = zeros({2, 3}), integers = zeros({2}, {.dtype = DType::int64});
  CHECK_THROWS_WITH(a + zeros({2}), "add: shapes [2, 3] and [2] do not broadcast");
  CHECK_THROWS_WITH(a * zeros({3}, {.dtype = DType::float64}), Contains("mul: b is float64, but a is float32"));
  CHECK_THROWS_WITH(integers / integers, Contains("div: dtype is int64"));
  CHECK_THROWS_WITH(integers * 0.5, Contains("mul: 0.5 does not fit int64"));
  CHECK_THROWS_WITH(exp(integers), Contains("exp: dtype is int64"));
  CHECK_THROWS_WITH(log1p(integers), Contains("log1p: dtype is int64"));
  CHECK_THROWS_WITH(integers.to(DType::uint8) + 1, Contains("add: dtype is uint8"));
  CHECK_THROWS_WITH(clamp(a, 1, 0), Contains("clamp: low is 1"));
  CHECK_THROWS_WITH(where(a, a, a), Contains("where: condition is float32, expected uint8"));
}

TEST_CASE("a trace lists what the model computes, not its gradients") {
  const Tensor x = from_vector<double>({3}).set_requires_grad();
  const Trace trace;
  (2 / x - x).backward();
  REQUIRE(trace.ops().size() == 2);
  CHECK(trace.ops()[0].op == "div");
  CHECK(trace.ops()[1].op == "sub");
}
