// The official MNIST, where this machine has it.
#include "real_mnist.h"

#include <cmath>

#include "deft/data/loader.h"
#include "deft/data/mnist.h"

#include "catch.h"
#include "data/files.h"
#include "temporary_directory.h"

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
  for (const Dataset& part : {mnist.train, mnist.test}) {
    CHECK(part.name == "MNIST");
    CHECK(part.class_names == std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
    CHECK(part.note.empty());
  }
  CHECK(checksum(mnist.train) == 0x60637407);  // as results are recorded with, in scripts/results/experiments.py
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

TEST_CASE("MNIST is known by its labels, whatever its folder is called") {
  const auto found = real_mnist();
  if (!found) return;
  const TemporaryDirectory root;
  const std::filesystem::path folder = root.root() / "FashionMNIST";
  const auto write_labels = [&](const std::string& part, const Dataset& dataset, std::int64_t count) {
    Bytes labels = first(idx({static_cast<std::uint32_t>(count)}), 8);
    for (std::int64_t i = 0; i < count; ++i) {
      labels.push_back(static_cast<std::uint8_t>(dataset.labels.data<std::int64_t>()[i]));
    }
    write_bytes(folder / (part + "-labels-idx1-ubyte"), labels);
    write_bytes(folder / (part + "-images-idx3-ubyte"), idx({static_cast<std::uint32_t>(count), 28, 28}));
    return labels;
  };
  write_labels("train", found->train, 60000);
  CHECK(load_mnist(folder, Part::train).name == "MNIST");
  Bytes labels = write_labels("t10k", found->test, 10000);
  CHECK(load_mnist(folder, Part::test).name == "MNIST");
  labels.back() ^= 1;
  write_bytes(folder / "t10k-labels-idx1-ubyte", labels);
  CHECK(load_mnist(folder, Part::test).name == "FashionMNIST");
  write_labels("t10k", found->test, 9999);  // a part of MNIST is not known for it
  CHECK(load_mnist(folder, Part::test).name == "FashionMNIST");
}
