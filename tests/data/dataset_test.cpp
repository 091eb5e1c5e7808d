// Data sets: checks, subsets, splits, and the digits drawn in code.
#include "deft/data/dataset.h"

#include <algorithm>
#include <array>

#include "deft/data/synthetic_digits.h"
#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/parallel_for.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

// Samples whose one pixel and label are their number.
Dataset numbered(std::int64_t count) {
  Dataset dataset{.name = "numbered"};
  dataset.images = arange(0, double(count), 1, {.dtype = DType::uint8, .device = Device::cpu()});
  dataset.images = alias(dataset.images, {count, 1, 1, 1});
  dataset.labels = arange(0, double(count), 1, {.dtype = DType::int64, .device = Device::cpu()});
  dataset.class_names.assign(static_cast<std::size_t>(count), "class");
  return dataset;
}

std::vector<std::int64_t> labels(const Dataset& dataset) { return dataset.labels.to_vector<std::int64_t>(); }

}  // namespace

TEST_CASE("a subset holds the samples asked for, in that order") {
  const Dataset part = subset(numbered(10), {7, 2, 2});
  CHECK(labels(part) == std::vector<std::int64_t>{7, 2, 2});
  CHECK(part.images.to_vector<std::uint8_t>() == std::vector<std::uint8_t>{7, 2, 2});
  CHECK(labels(first_samples(numbered(10), 3)) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(subset(numbered(10), {}).size() == 0);
  const Dataset there = subset(numbered(10).to(default_device()), {7, 2, 2});
  CHECK(there.images.device() == default_device());
  CHECK(labels(there) == labels(part));
  CHECK(there.images.to_vector<std::uint8_t>() == part.images.to_vector<std::uint8_t>());
  CHECK_THROWS_WITH(subset(numbered(10), {1, 10}), "subset: index[1] is 10, expected 0 to 9");
  CHECK_THROWS_WITH(first_samples(numbered(10), 11), Contains("count is 11"));
}

TEST_CASE("a validation split takes a random share, once each, by seed") {
  const auto [train, validation] = split_validation(numbered(200), 0.1, 5);
  CHECK(train.size() == 180);
  CHECK(validation.size() == 20);
  const std::vector<std::int64_t> held_out = labels(validation);
  CHECK(std::is_sorted(held_out.begin(), held_out.end()));
  std::vector<std::int64_t> all = labels(train);
  all.insert(all.end(), held_out.begin(), held_out.end());
  std::sort(all.begin(), all.end());
  CHECK(all == labels(numbered(200)));
  CHECK(labels(split_validation(numbered(200), 0.1, 5).validation) == held_out);
  CHECK(labels(split_validation(numbered(200), 0.1, 6).validation) != held_out);
  CHECK(split_validation(numbered(200), 0, 5).validation.size() == 0);
  CHECK_THROWS_WITH(split_validation(numbered(2), 1.5, 5), Contains("fraction is 1.5"));
}

TEST_CASE("a data set is checked") {
  Dataset dataset = numbered(3);
  check_dataset(dataset);
  dataset.class_names.pop_back();
  CHECK_THROWS_WITH(check_dataset(dataset), "dataset numbered: label 2 is 2, expected 0 to 1");
  dataset.labels = zeros({2}, {.dtype = DType::int64, .device = Device::cpu()});
  CHECK_THROWS_WITH(check_dataset(dataset), Contains("labels are int64 [2] on cpu, expected int64 [3]"));
  dataset.images = zeros({3, 1, 1, 1});
  CHECK_THROWS_WITH(check_dataset(dataset), Contains("images are float32 [3, 1, 1, 1]"));
}

TEST_CASE("synthetic digits say so, and are the same for any number of threads and samples") {
  const Dataset digits = synthetic_digits(300, Part::train, 1);
  CHECK(digits.synthetic);
  CHECK_THAT(digits.name + digits.source, Contains("synthetic") && Contains("not MNIST"));
  check_dataset(digits);
  const int threads = num_threads();
  set_num_threads(threads == 1 ? 2 : 1);
  const Dataset again = synthetic_digits(300, Part::train, 1);
  set_num_threads(threads);
  CHECK(again.images.to_vector<std::uint8_t>() == digits.images.to_vector<std::uint8_t>());
  CHECK(labels(again) == labels(digits));
  CHECK(synthetic_digits(5, Part::train, 1).images.to_vector<std::uint8_t>() ==
        first_samples(digits, 5).images.to_vector<std::uint8_t>());
  for (const Dataset& other : {synthetic_digits(300, Part::test, 1), synthetic_digits(300, Part::train, 2)}) {
    CHECK(other.images.to_vector<std::uint8_t>() != digits.images.to_vector<std::uint8_t>());
  }
  CHECK_THROWS_WITH(synthetic_digits(-1, Part::train), Contains("count is -1"));
}

// Each class's mean image is a classifier; on random pictures it would be right one time in ten.
TEST_CASE("synthetic digits look like digits: white strokes on black, alike within a class") {
  const Dataset train = synthetic_digits(4000, Part::train), test = synthetic_digits(1000, Part::test);
  std::array<std::array<double, 784>, 10> mean{};
  std::array<int, 10> count{};
  const auto pixel = [](const Dataset& d, std::int64_t i, int p) { return d.images.data<std::uint8_t>()[i * 784 + p]; };
  for (std::int64_t i = 0; i < train.size(); ++i) {
    const auto label = static_cast<std::size_t>(train.labels.data<std::int64_t>()[i]);
    ++count[label];
    for (int p = 0; p < 784; ++p) mean[label][std::size_t(p)] += pixel(train, i, p);
  }
  for (std::size_t digit = 0; digit < 10; ++digit) {
    CHECK(count[digit] > 300);
    for (double& value : mean[digit]) value /= count[digit];
  }
  int right = 0, dark = 0, white = 0;
  for (std::int64_t i = 0; i < test.size(); ++i) {
    std::array<double, 10> distance{};
    for (int p = 0; p < 784; ++p) {
      const int value = pixel(test, i, p);
      dark += value == 0;
      white += value == 255;
      for (std::size_t digit = 0; digit < 10; ++digit)
        distance[digit] += std::pow(value - mean[digit][std::size_t(p)], 2);
    }
    const auto nearest = std::min_element(distance.begin(), distance.end()) - distance.begin();
    right += nearest == test.labels.data<std::int64_t>()[i];
  }
  CHECK(right > 600);
  CHECK(dark > 0.6 * 784000);  // MNIST: 81 %
  CHECK(white > 0.02 * 784000);
}

TEST_CASE("the checksum of a data set is the CRC-32 of its pixels and labels") {
  Dataset digits{.name = "x", .class_names = {"0", "1"}};
  digits.images = from_vector<std::uint8_t>({'1', '2', '3', '4', '5', '6', '7', '8', '9'}, {1, 3, 3, 1}, Device::cpu());
  digits.labels = from_vector<std::int64_t>({1}, {1}, Device::cpu());
  CHECK(checksum(digits) == 0xbbacd662);
  digits.labels = from_vector<std::int64_t>({0}, {1}, Device::cpu());
  CHECK(checksum(digits) == 0x7706d6fc);
  CHECK(checksum(first_samples(digits, 0)) == 0);
}
