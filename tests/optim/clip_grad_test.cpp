// Gradient clipping by norm and by value.
#include "deft/optim/clip_grad.h"

#include <cmath>
#include <limits>

#include "catch.h"

using namespace deft;
using Catch::Matchers::Equals;

namespace {

Tensor with_grad(const std::vector<double>& grad) {
  Tensor tensor = from_vector(std::vector<double>(grad.size(), 0.0)).set_requires_grad();
  tensor.set_grad(from_vector(grad));
  return tensor;
}

}  // namespace

TEST_CASE("clipping by norm scales all gradients together, and only down") {
  const Tensor a = with_grad({3, 0}), b = with_grad({-4}), none = zeros({2}).set_requires_grad();
  CHECK(clip_grad_norm_({a, b, none}, 10) == Approx(5));
  CHECK(a.grad().to_vector<double>() == std::vector<double>{3, 0});
  CHECK(clip_grad_norm_({a, b, none}, 1) == Approx(5));
  CHECK(a.grad().to_vector<double>()[0] == Approx(3 / (5 + 1e-6)).epsilon(1e-14));
  CHECK(b.grad().to_vector<double>()[0] == Approx(-4 / (5 + 1e-6)).epsilon(1e-14));
  CHECK_FALSE(none.grad().defined());
  CHECK(clip_grad_norm_({}, 1) == 0);
}

TEST_CASE("the norm of a large gradient is exact enough in float32") {
  Tensor a = zeros({100001}).set_requires_grad();
  a.set_grad(full({100001}, 0.1));
  CHECK(clip_grad_norm_({a}, 1e9) == Approx(0.1 * std::sqrt(100001.0)).epsilon(1e-7));
}

TEST_CASE("a norm that is not finite shows") {
  const Tensor a = with_grad({std::numeric_limits<double>::quiet_NaN(), 1});
  CHECK(std::isnan(clip_grad_norm_({a}, 1)));
  CHECK(std::isnan(a.grad().to_vector<double>()[1]));
}

TEST_CASE("clipping by value limits each element") {
  const Tensor a = with_grad({3, -0.5, -7});
  clip_grad_value_({a}, 2);
  CHECK(a.grad().to_vector<double>() == std::vector<double>{2, -0.5, -2});
}

TEST_CASE("clipping says what is out of range") {
  CHECK_THROWS_WITH(clip_grad_norm_({}, -1), Equals("clip_grad_norm_: max_norm is -1, expected at least 0"));
  CHECK_THROWS_WITH(clip_grad_value_({}, -1), Equals("clip_grad_value_: clip_value is -1, expected at least 0"));
}
