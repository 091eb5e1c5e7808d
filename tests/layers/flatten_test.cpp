// The Flatten module.
#include "deft/layers/flatten.h"

#include "catch.h"

using namespace deft;

TEST_CASE("Flatten keeps the batch and lets the channel run fastest") {
  const Tensor x = arange(0, 24).set_requires_grad();
  const Tensor y = Flatten()(reshape(x, {2, 2, 3, 2}));
  CHECK(y.shape() == Shape{2, 12});
  CHECK(y.to_vector<float>() == x.to_vector<float>());
  CHECK(Flatten({.start_axis = 0, .end_axis = 1})(zeros({2, 3, 4})).shape() == Shape{6, 4});
  CHECK(Flatten()(zeros({0, 3, 4})).shape() == Shape{0, 12});
  y.backward({.gradient = ones({2, 12})});
  CHECK(x.grad().to_vector<float>() == std::vector<float>(24, 1.0f));
}
