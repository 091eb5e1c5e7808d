// Random kernels: element i comes from its place in the stream alone, and the distributions are right.
#include "deft/kernels/random.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "deft/kernels/philox.h"

#include "catch.h"

using namespace deft;
using namespace deft::kernels;

namespace {

constexpr Cpu cpu;
constexpr RandomStream stream{5, 7};

template <class T>
double mean_of(const std::vector<T>& values) {
  double sum = 0;
  for (T value : values) sum += static_cast<double>(value);
  return sum / static_cast<double>(values.size());
}

template <class T>
double variance_of(const std::vector<T>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (T value : values) sum += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean);
  return sum / static_cast<double>(values.size());
}

}  // namespace

TEMPLATE_TEST_CASE("uniform and normal numbers", "", float, double) {
  const std::int64_t n = 100003;
  std::vector<TestType> uniform(n), normal(n);
  fill_uniform<TestType>(cpu, stream, n, -1, 3, uniform.data());
  fill_normal<TestType>(cpu, stream, n, 2, 3, normal.data());
  const auto [low, high] = std::minmax_element(uniform.begin(), uniform.end());
  CHECK(*low >= -1);
  CHECK(*high < 3);
  CHECK(mean_of(uniform) == Approx(1).margin(0.02));
  CHECK(variance_of(uniform) == Approx(16.0 / 12).epsilon(0.02));
  CHECK(mean_of(normal) == Approx(2).margin(0.05));
  CHECK(variance_of(normal) == Approx(9).epsilon(0.02));

  std::vector<TestType> prefix(1001);
  fill_uniform<TestType>(cpu, stream, 1001, -1, 3, prefix.data());
  CHECK(std::equal(prefix.begin(), prefix.end(), uniform.begin()));
  fill_normal<TestType>(cpu, stream, 1001, 2, 3, prefix.data());
  CHECK(std::equal(prefix.begin(), prefix.end(), normal.begin()));
  fill_normal<TestType>(cpu, {5, 8}, 1001, 2, 3, prefix.data());
  CHECK_FALSE(std::equal(prefix.begin(), prefix.end(), normal.begin()));
}

TEST_CASE("uniform numbers are the words of the stream") {
  std::vector<float> values(6);
  fill_uniform<float>(cpu, stream, 6, 0, 1, values.data());
  for (std::uint64_t i = 0; i < 6; ++i) CHECK(values[i] == uniform_float(philox(5, 7, i / 4).word[i % 4]));
  // An interval of two neighbouring floats has one number in it.
  const float next = std::nextafter(1.0f, 2.0f);
  fill_uniform<float>(cpu, stream, 6, 1.0f, next, values.data());
  CHECK(values == std::vector<float>(6, 1.0f));
}

TEST_CASE("random integers cover their range evenly") {
  std::vector<std::int64_t> values(60000);
  fill_randint(cpu, stream, 60000, -2, 4, values.data());
  for (std::int64_t face = -2; face < 4; ++face) {
    CHECK(std::abs(std::count(values.begin(), values.end(), face) - 10000) < 400);
  }
}

TEST_CASE("dropout scales what it keeps and draws the same mask again") {
  const std::int64_t n = 50001;
  std::vector<float> x(n, 3.0f), y(n), again(n);
  dropout<float>(cpu, stream, n, 0.25, x.data(), y.data());
  dropout<float>(cpu, stream, n, 0.25, x.data(), again.data());
  CHECK(y == again);
  CHECK(std::count(y.begin(), y.end(), 4.0f) + std::count(y.begin(), y.end(), 0.0f) == n);
  CHECK(mean_of(y) == Approx(3).margin(0.03));
  dropout<float>(cpu, stream, n, 0, x.data(), y.data());
  CHECK(y == x);
  dropout<float>(cpu, stream, n, 1, x.data(), y.data());
  CHECK(y == std::vector<float>(n, 0.0f));
}
