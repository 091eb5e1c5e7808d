// Losses. The cross entropy kernel is tested for itself; here reductions, gradients, errors.
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

TEST_CASE("gradients of losses for every reduction") {
  const Tensor target = from_vector<std::int64_t>({4, 0, 2});
  const std::vector<Tensor> inputs = {random_tensor({3, 5}, 1), random_tensor({3, 5}, 2)};
  for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
    for (const double smoothing : {0.0, 0.1}) {
      const auto result = gradcheck(
          [&](const auto& x) {
            return cross_entropy(x[0], target, {.label_smoothing = smoothing, .reduction = reduction});
          },
          {inputs[0]});
      INFO(result.message);
      CHECK(result.ok);
    }
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

TEST_CASE("loss errors") {
  const Tensor logits = zeros({2, 3}), target = from_vector<std::int64_t>({0, 3});
  CHECK_THROWS_WITH(cross_entropy(logits, target).item(), Equals("cross_entropy: target[1] is 3, expected 0 to 2"));
  CHECK_THROWS_WITH(cross_entropy(logits, from_vector<std::int64_t>({0})),
                    Equals("cross_entropy: target is [1], expected [2] (N of logits [2, 3])"));
  CHECK_THROWS_WITH(cross_entropy(logits, zeros({2})), Equals("cross_entropy: target is float32, expected int64"));
  CHECK_THROWS_WITH(cross_entropy(zeros({6}), target), Equals("cross_entropy: logits is [6], expected [N, classes]"));
  CHECK_THROWS_WITH(cross_entropy(logits, from_vector<std::int64_t>({0, 1}), {.label_smoothing = 2}),
                    Equals("cross_entropy: label_smoothing is 2, expected 0 to 1"));
  CHECK_THROWS_WITH(mse_loss(logits, zeros({3, 2})),
                    Equals("mse_loss: target is [3, 2], expected [2, 3] (shape of input)"));
}
