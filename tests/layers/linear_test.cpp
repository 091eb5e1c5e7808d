// The fully connected layer.
#include "deft/layers/linear.h"

#include <algorithm>
#include <cmath>

#include "deft/core/gradcheck.h"

#include "catch.h"
#include "random_tensor.h"

using namespace deft;
using Catch::Matchers::Equals;

TEST_CASE("linear by hand") {
  const Tensor x = from_vector<double>({1, 2, 3, 4}, {2, 2}), weight = from_vector<double>({1, 0, 1, 1, 0, -1}, {3, 2});
  const Tensor bias = from_vector<double>({0.5, 0, 10});
  CHECK(linear(x, weight, bias).to_vector<double>() == std::vector<double>{1.5, 3, 8, 3.5, 7, 6});
  CHECK(linear(x, weight).to_vector<double>() == std::vector<double>{1, 3, -2, 3, 7, -4});
}

TEST_CASE("gradients of linear over leading axes") {
  for (const Shape& shape : {Shape{4}, Shape{5, 4}, Shape{2, 3, 4}, Shape{0, 4}}) {
    const std::vector<Tensor> inputs = {random_tensor(shape, 1), random_tensor({3, 4}, 2), random_tensor({3}, 3)};
    const auto with_bias = gradcheck([](const auto& x) { return linear(x[0], x[1], x[2]); }, inputs);
    INFO(to_string(shape) << ": " << with_bias.message);
    CHECK(with_bias.ok);
    const auto without = gradcheck([](const auto& x) { return linear(x[0], x[1]); }, {inputs[0], inputs[1]});
    CHECK(without.ok);
  }
}

TEST_CASE("Linear has PyTorch's parameters") {
  Linear layer(16, 5), plain(16, 5, {.bias = false});
  CHECK(layer.weight->shape() == Shape{5, 16});
  CHECK(layer.num_parameters() == 85);
  CHECK(plain.num_parameters() == 80);
  for (const Tensor& parameter : layer.parameters()) {
    for (const float value : parameter.to_vector<float>()) REQUIRE(std::abs(value) <= 0.25f);  // 1/√16
  }
  CHECK(layer(zeros({2, 16})).shape() == Shape{2, 5});
  CHECK(plain(zeros({2, 16})).to_vector<float>() == std::vector<float>(10, 0.0f));
}

TEST_CASE("linear errors") {
  CHECK_THROWS_WITH(linear(zeros({2, 3}), zeros({4, 5})),
                    Equals("linear: x is [2, 3], expected [..., 5] (in of weight [4, 5])"));
  CHECK_THROWS_WITH(linear(zeros({2, 5}), zeros({4, 5}), zeros({5})),
                    Equals("linear: bias is [5], expected [4] (out of weight [4, 5])"));
  CHECK_THROWS_WITH(linear(zeros({5}), zeros({5})), Equals("linear: weight is [5], expected [out, in]"));
  CHECK_THROWS_WITH(Linear(0, 3), Equals("Linear: in_features is 0, out_features is 3, expected at least 1"));
}
