// The official MNIST, where this machine has it.
#include "real_mnist.h"

#include <cmath>

#include "deft/data/loader.h"

#include "catch.h"

using namespace deft;

namespace {

std::vector<std::int64_t> histogram(const Dataset& dataset) {
  std::vector<std::int64_t> counts(10);
  for (const std::int64_t label : dataset.labels.to_vector<std::int64_t>()) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

}  // namespace

// Counts and moments as published with the data set and as everybody normalises by.
TEST_CASE("MNIST is the official one") {
  const auto found = real_mnist();
  if (!found) return;
  const TrainTest& mnist = *found;
  CHECK(histogram(mnist.train) ==
        std::vector<std::int64_t>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  CHECK(histogram(mnist.test) == std::vector<std::int64_t>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
  CHECK(alias(mnist.train.labels, {5}).to_vector<std::int64_t>() == std::vector<std::int64_t>{5, 0, 4, 1, 9});
  double sum = 0, squares = 0;
  for (const Batch& batch : DataLoader(mnist.train, {.batch_size = 1000}).epoch(0)) {
    for (const double value : batch.images.to_vector<float>()) {
      sum += value;
      squares += value * value;
    }
  }
  const double mean = sum / 60000 / 784, std = std::sqrt(squares / 60000 / 784 - mean * mean);
  CHECK(mean == Approx(0.13066).epsilon(1e-4));
  CHECK(std == Approx(0.30811).epsilon(1e-4));
}
