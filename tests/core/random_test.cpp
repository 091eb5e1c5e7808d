// Random tensors.
#include "deft/core/random.h"

#include <algorithm>
#include <numeric>

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

TEST_CASE("random tensors repeat with the seed and differ from call to call") {
  Generator a(7), b(7);
  const auto first = randn({100}, {}, a).to_vector<float>();
  CHECK(first == randn({100}, {}, b).to_vector<float>());
  CHECK(first != randn({100}, {}, a).to_vector<float>());
  a.set_state(7, 0);
  CHECK(first == randn({100}, {}, a).to_vector<float>());
  for (const double value : rand({1000}, {.dtype = DType::float64}, a).to_vector<double>()) {
    REQUIRE((value >= 0 && value < 1));
  }
  CHECK(rand({0, 3}).numel() == 0);
}

TEST_CASE("randint and randperm cover their range") {
  Generator generator(1);
  auto order = randperm(1000, default_device(), generator).to_vector<std::int64_t>();
  std::vector<std::int64_t> sorted(1000);
  std::iota(sorted.begin(), sorted.end(), 0);
  CHECK(order != sorted);
  std::sort(order.begin(), order.end());
  CHECK(order == sorted);
  CHECK(randperm(0).numel() == 0);
  const auto values = randint(-1, 2, {300}, default_device(), generator).to_vector<std::int64_t>();
  for (std::int64_t value : {-1, 0, 1}) CHECK(std::count(values.begin(), values.end(), value) > 60);
  CHECK(*std::min_element(values.begin(), values.end()) == -1);
  CHECK(*std::max_element(values.begin(), values.end()) == 1);
  CHECK_THROWS_WITH(randint(2, 2, {1}), Contains("randint: low is 2"));
  CHECK_THROWS_WITH(randperm(-1), Contains("randperm: n is -1"));
  CHECK_THROWS_WITH(rand({1}, {.dtype = DType::int64}), Contains("rand: dtype is int64"));
}
