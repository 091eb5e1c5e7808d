// Gradient clipping by norm and by value.
#include "deft/optim/clip_grad.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"

using namespace deft;
using Catch::Matchers::Equals;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

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

TEST_CASE("a norm is finite where its value is, though the squares overflow") {
  // 3-4-5 triangles. The squares of the first are beyond float32, those of the second beyond float64; PyTorch's norm in
  // these types is infinite.
  Tensor a = zeros({2}).set_requires_grad();
  a.set_grad(from_vector<float>({3e20f, -4e20f}));
  CHECK(clip_grad_norm_({a}, 1) == Approx(5e20).epsilon(1e-6));
  CHECK(a.grad().to_vector<float>()[0] == Approx(0.6).epsilon(1e-6));
  CHECK(a.grad().to_vector<float>()[1] == Approx(-0.8).epsilon(1e-6));
  const Tensor b = with_grad({3e200}), c = with_grad({-4e200});
  CHECK(clip_grad_norm_({b, c}, 1, {.error_if_nonfinite = true}) == Approx(5e200).epsilon(1e-14));
  CHECK(b.grad().item() == Approx(0.6).epsilon(1e-14));
}

TEST_CASE("a norm that is not finite scales as in PyTorch") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double norm_type : {2.0, 1.0, infinity}) {
    const Tensor a = with_grad({nan, 1}), b = with_grad({2});
    CHECK(std::isnan(clip_grad_norm_({b, a}, 1, {.norm_type = norm_type})));
    CHECK(std::isnan(a.grad().to_vector<double>()[1]));
    CHECK(std::isnan(b.grad().item()));
    const Tensor c = with_grad({infinity, 1});
    CHECK(clip_grad_norm_({c}, 1, {.norm_type = norm_type}) == infinity);
    CHECK(std::isnan(c.grad().to_vector<double>()[0]));
    CHECK(c.grad().to_vector<double>()[1] == 0);
  }
}

TEST_CASE("error_if_nonfinite leaves the gradients as they are") {
  for (const auto& [value, text] :
       {std::pair(std::numeric_limits<double>::quiet_NaN(), "nan"), std::pair(infinity, "inf")}) {
    const Tensor a = with_grad({value, 1}), b = with_grad({3});
    CHECK_THROWS_WITH(
        clip_grad_norm_({a, b}, 1, {.error_if_nonfinite = true}),
        Equals(std::string("clip_grad_norm_: the norm of the gradients is ") + text + ", expected a finite one"));
    CHECK(a.grad().to_vector<double>()[1] == 1);
    CHECK(b.grad().item() == 3);
  }
  CHECK(clip_grad_norm_({with_grad({3, 4})}, 1, {.error_if_nonfinite = true}) == Approx(5));
}

TEST_CASE("norms of every type are PyTorch's") {
  struct Case {
    double norm_type, norm;
    std::vector<double> clipped;
  };
  // torch.nn.utils.clip_grad_norm_ of PyTorch 2.15 in float64, max_norm 1.
  for (const Case& wanted : {Case{1, 7, {0.42857136734694745, 0, -0.57142848979592997}},
                             {2, 5, {0.59999988000002402, 0, -0.79999984000003199}},
                             {3, 4.4979414452754147, {0.6669716290281047, 0, -0.88929550537080626}},
                             {0.5, 13.928203230275509, {0.2153902937091452, 0, -0.28718705827886026}},
                             {infinity, 4, {0.74999981250004688, 0, -0.99999975000006247}}}) {
    INFO("norm_type " << wanted.norm_type);
    const Tensor a = with_grad({3, 0}), b = with_grad({-4}), empty = with_grad({});
    CHECK(clip_grad_norm_({a, empty, b}, 1, {.norm_type = wanted.norm_type}) == Approx(wanted.norm).epsilon(1e-14));
    CHECK(a.grad().to_vector<double>()[0] == Approx(wanted.clipped[0]).epsilon(1e-14));
    CHECK(a.grad().to_vector<double>()[1] == 0);
    CHECK(b.grad().item() == Approx(wanted.clipped[2]).epsilon(1e-14));
    CHECK(clip_grad_norm_({with_grad({0, 0})}, 1, {.norm_type = wanted.norm_type}) == 0);
  }
}

TEST_CASE("clipping by value limits each element") {
  const Tensor a = with_grad({3, -0.5, -7});
  clip_grad_value_({a}, 2);
  CHECK(a.grad().to_vector<double>() == std::vector<double>{2, -0.5, -2});
}

TEST_CASE("clipping says what is out of range") {
  CHECK_THROWS_WITH(clip_grad_norm_({}, -1), Equals("clip_grad_norm_: max_norm is -1, expected at least 0"));
  CHECK_THROWS_WITH(clip_grad_norm_({}, 1, {.norm_type = 0}),
                    Equals("clip_grad_norm_: norm_type is 0, expected above 0"));
  CHECK_THROWS_WITH(clip_grad_value_({}, -1), Equals("clip_grad_value_: clip_value is -1, expected at least 0"));
}
