// The loader: order, batches, workers, errors.
#include "deft/data/loader.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <set>

#include "deft/core/random.h"
#include "deft/data/synthetic_digits.h"
#include "deft/kernels/runtime/error.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

using Indices = std::vector<std::int64_t>;

Indices all_indices(const DataLoader& loader, std::int64_t epoch) {
  Indices all;
  for (const Batch& batch : loader.epoch(epoch)) all.insert(all.end(), batch.indices.begin(), batch.indices.end());
  return all;
}

Indices ascending(std::int64_t count) {
  return arange(0, double(count), 1, {.dtype = DType::int64}).to_vector<std::int64_t>();
}

// The largest difference between the images of two loaders' batches, which are alike in everything else.
float largest_difference(const DataLoader& expected, const DataLoader& actual) {
  float largest = 0;
  Epoch expected_epoch = expected.epoch(2);
  auto from = expected_epoch.begin();
  for (const Batch& batch : actual.epoch(2)) {
    CHECK(batch.images.device() == actual.options().device);
    CHECK(batch.labels.device() == actual.options().device);
    CHECK(batch.indices == (*from).indices);
    CHECK(batch.labels.to_vector<std::int64_t>() == (*from).labels.to_vector<std::int64_t>());
    const std::vector<float> values = batch.images.to_vector<float>(), others = (*from).images.to_vector<float>();
    REQUIRE(values.size() == others.size());
    for (std::size_t i = 0; i < values.size(); ++i) largest = std::max(largest, std::abs(values[i] - others[i]));
    ++from;
  }
  CHECK(from == expected_epoch.end());
  return largest;
}

}  // namespace

TEST_CASE("unshuffled batches hold the data set in order") {
  const Dataset digits = synthetic_digits(10, Part::train);
  const DataLoader loader(digits, {.batch_size = 4, .transform = {.mean = {0.5}, .std = {0.25}}});
  CHECK(loader.size() == 3);
  std::int64_t at = 0;
  for (const Batch& batch : loader.epoch(0)) {
    const std::int64_t size = at == 8 ? 2 : 4;
    CHECK(batch.images.shape() == Shape{size, 28, 28, 1});
    CHECK(batch.labels.to_vector<std::int64_t>() == alias(digits.labels, {size}, at).to_vector<std::int64_t>());
    const float expected = (digits.images.data<std::uint8_t>()[at * 784 + 400] / 255.0f - 0.5f) / 0.25f;
    CHECK(batch.images.to_vector<float>()[400] == Approx(expected));
    at += size;
  }
  CHECK(at == 10);
  CHECK(all_indices(DataLoader(digits, {.batch_size = 4, .drop_last = true}), 0) == ascending(8));
  CHECK(all_indices(DataLoader(digits, {.batch_size = 100}), 0) == ascending(10));
}

TEST_CASE("shuffling goes through every sample once, differently each epoch and for each seed") {
  const Dataset digits = synthetic_digits(100, Part::train);
  const DataLoader loader(digits, {.batch_size = 7, .shuffle = true, .seed = 3});
  std::set<Indices> orders;
  for (const std::int64_t epoch : {0, 1, 2}) {
    Indices order = all_indices(loader, epoch);
    orders.insert(order);
    std::sort(order.begin(), order.end());
    CHECK(order == ascending(100));
  }
  orders.insert(all_indices(DataLoader(digits, {.batch_size = 7, .shuffle = true, .seed = 4}), 0));
  CHECK(orders.size() == 4);
  CHECK(orders.count(ascending(100)) == 0);
  CHECK(all_indices(loader, 1) == all_indices(loader, 1));
}

TEST_CASE("batches are the same for any number of workers") {
  const Dataset digits = synthetic_digits(200, Part::train);
  LoaderOptions options{.batch_size = 16, .shuffle = true, .seed = 9, .workers = 0};
  options.transform.steps = {random_affine({.angle = {-30, 30}, .scale = {0.8, 1.2}}), random_crop(2)};
  const DataLoader plain(digits, options);
  for (const int workers : {1, 2, 5}) {
    for (const int prefetch : {1, 3}) {
      options.workers = workers;
      options.prefetch = prefetch;
      CHECK(largest_difference(plain, DataLoader(digits, options)) == 0);
    }
  }
}

TEST_CASE("every device gets the batches of the CPU, from a data set on the CPU or on the device") {
  Dataset pictures{.name = "noise", .class_names = {"0", "1"}};
  pictures.images = randint(0, 256, {50, 9, 12, 3}, Device::cpu()).to(DType::uint8);
  pictures.labels = randint(0, 2, {50}, Device::cpu());
  struct Case {
    Transform transform;
    float tolerance;
  };
  const std::vector<AffineStep> turns{random_affine({.angle = {-30, 30}, .scale = {0.8, 1.2}}), random_crop(2)};
  const Case cases[] = {
      {{.mean = {0.1, 0.5, 0.9}, .std = {0.3, 1, 2}}, 1e-6f},  // the CPU may fuse the multiplication and the addition
      {{.steps = turns, .interpolation = Interpolation::nearest, .mean = {0.5}, .std = {0.25}}, 0},
      {{.steps = turns, .interpolation = Interpolation::nearest, .border = Border::replicate}, 0},
      {{.steps = turns, .fill = 0.5, .mean = {0.5}, .std = {0.25}}, 1e-6f}};
  for (const Case& one : cases) {
    LoaderOptions options{
        .batch_size = 16, .shuffle = true, .seed = 9, .device = Device::cpu(), .transform = one.transform};
    const DataLoader on_cpu(pictures, options);
    options.device = default_device();
    for (const int workers : {0, 2}) {
      options.workers = workers;
      CHECK(largest_difference(on_cpu, DataLoader(pictures, options)) <= one.tolerance);
      CHECK(largest_difference(on_cpu, DataLoader(pictures.to(options.device), options)) <= one.tolerance);
    }
  }
}

TEST_CASE("what is drawn for a sample depends on neither batch size nor order") {
  const Dataset digits = synthetic_digits(20, Part::train);
  LoaderOptions options{.batch_size = 20, .seed = 9};
  options.transform.steps = {random_expand({1, 3})};
  Tensor whole;
  for (const Batch& batch : DataLoader(digits, options).epoch(1)) whole = batch.images;
  options.batch_size = 3;
  options.shuffle = true;
  for (const Batch& batch : DataLoader(digits, options).epoch(1)) {
    for (std::size_t i = 0; i < batch.indices.size(); ++i) {
      CHECK(alias(batch.images, {784}, std::int64_t(i) * 784).to_vector<float>() ==
            alias(whole, {784}, batch.indices[i] * 784).to_vector<float>());
    }
  }
}

TEST_CASE("an epoch can be left in the middle, begun in the middle, and kept beyond the loader") {
  const Dataset digits = synthetic_digits(50, Part::train);
  std::unique_ptr<Epoch> epoch;
  Tensor kept;
  {
    const DataLoader loader(digits, {.batch_size = 5, .workers = 2});
    for (const Batch& batch : loader.epoch(0)) {
      kept = batch.images;
      break;
    }
    for (int i = 0; i < 20; ++i) loader.epoch(i);
    Indices rest;
    for (const Batch& batch : loader.epoch(0, 8)) rest.insert(rest.end(), batch.indices.begin(), batch.indices.end());
    CHECK(rest == Indices{40, 41, 42, 43, 44, 45, 46, 47, 48, 49});
    CHECK_THROWS_WITH(loader.epoch(0, 11), Contains("batch 11") && Contains("0 to 10"));
    epoch = std::make_unique<Epoch>(loader.epoch(0));
  }
  CHECK(kept.shape() == Shape{5, 28, 28, 1});
  CHECK((*epoch->begin()).indices == Indices{0, 1, 2, 3, 4});
}

TEST_CASE("beginning an epoch again goes on where it is") {
  const Dataset digits = synthetic_digits(6, Part::train);
  for (const int workers : {0, 2}) {
    Epoch epoch = DataLoader(digits, {.batch_size = 2, .workers = workers}).epoch(0);
    CHECK((*epoch.begin()).indices == Indices{0, 1});
    Indices all;
    for (const Batch& batch : epoch) all.insert(all.end(), batch.indices.begin(), batch.indices.end());
    CHECK(all == ascending(6));
    CHECK(epoch.begin() == epoch.end());
  }
}

TEST_CASE("an epoch that is begun again after an error comes to an end") {
  LoaderOptions options{.batch_size = 2, .workers = 1};
  options.transform.steps = {[first = std::make_shared<std::atomic<bool>>(true)](const ImageSize&, PhiloxSequence&) {
    if (first->exchange(false)) throw Error("step: the first image");
    return AffineMatrix();
  }};
  Epoch epoch = DataLoader(synthetic_digits(4, Part::train), options).epoch(0);
  CHECK_THROWS_WITH(epoch.begin(), "step: the first image");
  auto at = epoch.begin();
  CHECK_THROWS_WITH(++at, "loader: all 2 batches were taken");
}

TEST_CASE("an error in a worker is thrown where its batch is asked for") {
  const Dataset digits = synthetic_digits(12, Part::train);
  for (const int workers : {0, 1, 2}) {
    LoaderOptions options{.batch_size = 1, .workers = workers};
    options.transform.steps = {[calls = std::make_shared<std::atomic<int>>(0)](const ImageSize&, PhiloxSequence&) {
      if (++*calls == 6) throw Error("step: the sixth image");
      return AffineMatrix();
    }};
    const DataLoader loader(digits, options);
    std::int64_t seen = 0;
    CHECK_THROWS_WITH(
        [&] {
          for ([[maybe_unused]] const Batch& batch : loader.epoch(0)) ++seen;
        }(),
        "step: the sixth image");
    CHECK(seen >= 4);
    CHECK(seen <= 7);
  }
}

TEST_CASE("an empty data set has no batches") {
  const DataLoader loader(synthetic_digits(0, Part::train), {.shuffle = true});
  CHECK(loader.size() == 0);
  CHECK(all_indices(loader, 0).empty());
}

TEST_CASE("the loader says what option does not fit") {
  const Dataset digits = synthetic_digits(5, Part::train);
  CHECK_THROWS_WITH(DataLoader(digits, {.batch_size = 0}), "loader: batch_size is 0, expected at least 1");
  CHECK_THROWS_WITH(DataLoader(digits, {.workers = -1}), Contains("workers is -1"));
  CHECK_THROWS_WITH(DataLoader(digits, {.prefetch = 0}), Contains("prefetch is 0"));
  CHECK_THROWS_WITH(DataLoader(digits, {.device = Device::cuda(99)}), Contains("cuda:99: "));
  if (default_device().is_cuda()) {
    CHECK_THROWS_WITH(DataLoader(digits.to(default_device()), {.device = Device::cpu()}),
                      "loader: the data set is on cuda:0, expected cpu or the device of the batches, cpu");
  }
  const DataLoader loader(digits, {.transform = {.mean = {0, 0}}});
  CHECK_THROWS_WITH(all_indices(loader, 0), "transform: mean has 2 values, expected 1 or 1 (channels)");
}
