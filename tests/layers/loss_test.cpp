// Reductions and gradients of the losses; cross entropy's options have a test of their own.
#include "deft/layers/loss.h"

#include <cmath>

#include "deft/core/gradcheck.h"

#include "catch.h"
#include "random_tensor.h"

using namespace deft;
using Catch::Matchers::Equals;

TEST_CASE("cross entropy of equal logits is the logarithm of the classes") {
  const Tensor logits = zeros({3, 10}), target = from_vector<std::int64_t>({0, 5, 9});
  CHECK(cross_entropy(logits, target).item() == Approx(std::log(10.0)));
  CHECK(cross_entropy(logits, target, {.label_smoothing = 0.3}).item() == Approx(std::log(10.0)));
  CHECK(cross_entropy(logits, target, {.reduction = Reduction::sum}).item() == Approx(3 * std::log(10.0)));
  CHECK(cross_entropy(logits, target, {.reduction = Reduction::none}).shape() == Shape{3});
}

TEST_CASE("gradients of mse_loss for every reduction") {
  const std::vector<Tensor> inputs = {random_tensor({3, 5}, 1), random_tensor({3, 5}, 2)};
  for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
    const auto result =
        gradcheck([&](const auto& x) { return mse_loss(x[0], x[1], {.reduction = reduction}); }, inputs);
    INFO(result.message);
    CHECK(result.ok);
  }
}

TEST_CASE("mse_loss by hand") {
  const Tensor a = from_vector<float>({1, 2, 3}), b = from_vector<float>({1, 4, 0});
  CHECK(mse_loss(a, b).item() == Approx(13.0 / 3));
  CHECK(mse_loss(a, b, {.reduction = Reduction::sum}).item() == 13);
}

TEST_CASE("mse_loss says what does not fit") {
  CHECK_THROWS_WITH(mse_loss(zeros({2, 3}), zeros({3, 2})),
                    Equals("mse_loss: target is [3, 2], expected [2, 3] (shape of input)"));
}
