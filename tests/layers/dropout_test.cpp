// Dropout: its distribution, its gradient, its modes.
#include "deft/layers/dropout.h"

#include <algorithm>

#include "deft/core/gradcheck.h"

#include "catch.h"
#include "random_tensor.h"

using namespace deft;
using Catch::Matchers::Equals;

TEST_CASE("dropout zeroes the share p, scales the rest, and passes gradients through the same mask") {
  Generator generator(5);
  Tensor x = ones({100000}, {.dtype = DType::float64, .requires_grad = true});
  const Tensor y = dropout(x, {.p = 0.2}, generator);
  const auto values = y.to_vector<double>();
  const auto zeros = std::count(values.begin(), values.end(), 0.0);
  CHECK(static_cast<double>(zeros) == Approx(20000).margin(600));  // five standard deviations
  CHECK(std::count(values.begin(), values.end(), 1 / 0.8) == 100000 - zeros);
  y.backward({.gradient = full({100000}, 3, {.dtype = DType::float64})});
  const auto grad = x.grad().to_vector<double>();
  for (std::size_t i = 0; i < values.size(); ++i) REQUIRE(grad[i] == Approx(3 * values[i]));
}

TEST_CASE("dropout's gradient agrees with finite differences") {
  const Tensor x = random_tensor({4, 5});
  const GradcheckResult result = gradcheck(
      [](const std::vector<Tensor>& inputs) {
        Generator generator(3);  // the same mask in every call
        return dropout(inputs[0], {.p = 0.4}, generator);
      },
      {x});
  INFO(result.message);
  CHECK(result.ok);
}

TEST_CASE("dropout draws anew each time and repeats with its generator") {
  const Tensor x = random_tensor({64}).detach();
  Generator one(7), two(7);
  const auto first = dropout(x, {}, one).to_vector<double>();
  CHECK(dropout(x, {}, two).to_vector<double>() == first);
  CHECK(dropout(x, {}, one).to_vector<double>() != first);
}

TEST_CASE("the extremes of dropout") {
  const Tensor x = random_tensor({64}).detach();
  CHECK(dropout(x, {.p = 0}).to_vector<double>() == x.to_vector<double>());
  CHECK(dropout(x, {.p = 1}).to_vector<double>() == std::vector<double>(64, 0.0));
  CHECK_THROWS_WITH(dropout(x, {.p = 1.5}), Equals("dropout: p is 1.5, expected from 0 to 1"));
  CHECK_THROWS_WITH(Dropout({.p = -0.5}), Equals("dropout: p is -0.5, expected from 0 to 1"));
}

TEST_CASE("the Dropout module rests in evaluation") {
  Dropout layer({.p = 0.5});
  const Tensor x = random_tensor({64}).detach();
  CHECK(layer(x).to_vector<double>() != x.to_vector<double>());
  layer.eval();
  CHECK(layer(x).to_vector<double>() == x.to_vector<double>());
}
