// Counting what a classifier gets right.
#include "deft/apps/support/evaluate.h"

#include "deft/core/default_device.h"
#include "deft/core/reduce.h"

#include "catch.h"

using namespace deft;

TEST_CASE("a tally weighs batches by their images") {
  support::Tally tally(default_device());
  const auto labels = [](const std::vector<std::int64_t>& classes) { return from_vector(classes); };
  const Tensor logits = from_vector<float>({0, 2, 1, 5, 0, 0, 1, 2, 3}, {3, 3});  // classes 1, 0, 2
  tally.add(logits, labels({1, 0, 0}), full({}, 0.5));
  tally.add(from_vector<float>({1, 0, 0}, {1, 3}), labels({0}), full({}, 4.5));
  CHECK(tally.images() == 4);
  CHECK(tally.loss() == 1.5);
  CHECK(tally.accuracy() == 0.75);
}

TEST_CASE("a tally of a training step keeps no graph") {
  const Tensor logits = zeros({1, 2}, {.requires_grad = true}), loss = sum(logits);
  support::Tally tally(default_device());
  tally.add(logits, from_vector<std::int64_t>({0}), loss);
  loss.backward();
  CHECK(logits.grad().to_vector<float>() == std::vector<float>{1, 1});
  CHECK(tally.loss() == 0);
}
