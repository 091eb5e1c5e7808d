// Activations and softmax as layers. The kernels are tested for themselves; here gradients, options, modules, errors.
#include "deft/layers/activation.h"

#include <cmath>
#include <functional>
#include <utility>

#include "deft/core/elementwise.h"
#include "deft/core/gradcheck.h"
#include "deft/core/reduce.h"
#include "deft/core/trace.h"
#include "deft/layers/softmax.h"

#include "catch.h"
#include "random_tensor.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

TEST_CASE("gradients of activations") {
  const std::vector<Tensor> inputs = {random_tensor({3, 7}, 1)};
  using Function = std::function<Tensor(const Tensor&)>;
  for (const Function& function : {Function(relu), Function(sigmoid), Function([](const Tensor& x) { return tanh(x); }),
                                   Function([](const Tensor& x) { return leaky_relu(x); }),
                                   Function([](const Tensor& x) { return leaky_relu(x, {.negative_slope = 0.3}); }),
                                   Function([](const Tensor& x) { return elu(x); }),
                                   Function([](const Tensor& x) { return elu(x, {.alpha = 0.3}); }), Function(silu),
                                   Function([](const Tensor& x) { return softplus(x); }),
                                   Function([](const Tensor& x) { return softplus(x, {.beta = 3, .threshold = 1}); }),
                                   Function(hardswish), Function([](const Tensor& x) { return gelu(x); }),
                                   Function([](const Tensor& x) { return gelu(x, {.tanh_approximation = true}); })}) {
    const auto result = gradcheck([&](const auto& x) { return function(x[0]); }, inputs);
    INFO(result.message);
    CHECK(result.ok);
  }
}

TEST_CASE("gradients of softmax over every axis") {
  const std::vector<Tensor> inputs = {random_tensor({2, 3, 4}, 2)};
  for (int axis : {0, 1, 2, -1}) {
    for (const auto function : {softmax, log_softmax}) {
      const auto result = gradcheck([&](const auto& x) { return function(x[0], axis); }, inputs);
      INFO(result.message);
      CHECK(result.ok);
    }
    for (const double total : sum(softmax(inputs[0], axis), {axis}).to_vector<double>()) {
      CHECK(total == Approx(1).epsilon(1e-14));
    }
  }
}

TEST_CASE("activation modules apply their functions") {
  const Tensor x = from_vector<double>({-1, 0, 2});
  CHECK(ReLU()(x).to_vector<double>() == std::vector<double>{0, 0, 2});
  CHECK(LeakyReLU({.negative_slope = 0.5})(x).to_vector<double>() == std::vector<double>{-0.5, 0, 2});
  CHECK(ELU({.alpha = 2})(x).to_vector<double>() == std::vector<double>{2 * std::expm1(-1.0), 0, 2});
  CHECK(Sigmoid()(x).to_vector<double>()[1] == 0.5);
  CHECK(Tanh()(x).to_vector<double>()[2] == Approx(std::tanh(2.0)));
  // PyTorch's gelu(2), exact and tanh.
  CHECK(GELU()(x).to_vector<double>()[2] == Approx(1.9544997361036416));
  CHECK(GELU({.tanh_approximation = true})(x).to_vector<double>()[2] == Approx(1.954597694087775));
  CHECK(SiLU()(x).to_vector<double>() == silu(x).to_vector<double>());
  CHECK(Softplus({.beta = 2})(x).to_vector<double>() == softplus(x, {.beta = 2}).to_vector<double>());
  CHECK(Hardswish()(x).to_vector<double>() == hardswish(x).to_vector<double>());
  CHECK(Softmax()(x).to_vector<double>() == softmax(x).to_vector<double>());
}

TEST_CASE("values of composed activations") {
  const auto check = [&](const auto& function, const std::vector<double>& values, const std::vector<double>& slopes) {
    const Tensor x = from_vector<double>({-800, -4, -1, 0, 1, 4, 800}).set_requires_grad();
    const Tensor y = function(x);
    sum(y).backward();
    for (std::size_t i = 0; i < values.size(); ++i) {
      CHECK(y.to_vector<double>()[i] == Approx(values[i]).epsilon(1e-14));
      CHECK(x.grad().to_vector<double>()[i] == Approx(slopes[i]).epsilon(1e-14));
    }
  };
  // By the formulas, with 50 digits.
  check(silu, {0, -0.071944839848366232, -0.26894142136999512, 0, 0.73105857863000488, 3.9280551601516338, 800},
        {0, -0.052664614891072908, 0.072329488128513268, 0.5, 0.92767051187148673, 1.0526646148910729, 1});
  check(
      [](const Tensor& x) { return softplus(x); },
      {0, 0.018149927917809739, 0.31326168751822286, 0.69314718055994531, 1.3132616875182229, 4.0181499279178097, 800},
      {0, 0.017986209962091559, 0.26894142136999512, 0.5, 0.73105857863000488, 0.98201379003790844, 1});
  check(hardswish, {0, 0, -1 / 3.0, 0, 2 / 3.0, 4, 800}, {0, 0, 1 / 6.0, 0.5, 5 / 6.0, 1, 1});
  // From the threshold on, softplus is x.
  CHECK(softplus(from_vector<double>({0.75}), {.beta = 2, .threshold = 1}).item() == 0.75);
  CHECK(softplus(from_vector<double>({0.25}), {.beta = 2, .threshold = 1}).item() ==
        Approx(0.48703849209005334).epsilon(1e-14));
  CHECK_THROWS_WITH(softplus(zeros({1}), {.beta = 0}), Equals("softplus: beta is 0, expected above 0"));
  const Tensor integers = zeros({1}, {.dtype = DType::int64});
  CHECK_THROWS_WITH(silu(integers), Equals("silu: x is int64, expected float32 or float64"));
  CHECK_THROWS_WITH(softplus(integers), Equals("softplus: x is int64, expected float32 or float64"));
  CHECK_THROWS_WITH(hardswish(integers), Equals("hardswish: x is int64, expected float32 or float64"));
  CHECK_THROWS_WITH(elu(integers), Contains("elu: dtype is int64"));
}

TEST_CASE("activations write over temporaries, and over nothing that anybody still sees") {
  const Tensor x = random_tensor({3, 7}, 3).set_requires_grad();
  const auto reuses = [](Tensor input) {
    const double* memory = input.data<double>();
    return relu(std::move(input)).data<double>() == memory;
  };
  CHECK(reuses(x * 2));
  CHECK_FALSE(reuses(x));
  CHECK_FALSE(reuses(sigmoid(x)));  // its node saved it
  const Tensor kept = x * 2;
  CHECK_FALSE(reuses(kept));
  CHECK(kept.to_vector<double>() == (x * 2).to_vector<double>());
  const Trace trace;
  CHECK_FALSE(reuses(x * 2));
}

TEST_CASE("gradients pass through activations in place, but not those that somebody holds") {
  const Tensor x = from_vector<double>({-1, 2}).set_requires_grad();
  Tensor middle = x * 3;
  middle.retain_grad();
  const Tensor seed = from_vector<double>({5, 7});
  (relu(middle) + relu(x * 2)).backward({.gradient = seed});
  CHECK(seed.to_vector<double>() == std::vector<double>{5, 7});
  CHECK(middle.grad().to_vector<double>() == std::vector<double>{0, 7});
  CHECK(x.grad().to_vector<double>() == std::vector<double>{0, 7 * 3 + 7 * 2});
}

TEST_CASE("activations of nothing and of integers") {
  CHECK(relu(zeros({0, 3})).shape() == Shape{0, 3});
  CHECK(softmax(zeros({3, 0})).shape() == Shape{3, 0});
  CHECK(softmax(zeros({0, 3})).shape() == Shape{0, 3});
  CHECK_THROWS_WITH(relu(zeros({1}, {.dtype = DType::int64})), Contains("relu: dtype is int64"));
  CHECK_THROWS_WITH(softmax(zeros({2}), 1), Contains("softmax: axis is 1"));
}
