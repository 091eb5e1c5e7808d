// Random kernels: element i comes from its place in the stream alone, and the distributions are right.
#include "deft/kernels/random.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "deft/kernels/runtime/philox.h"

#include "catch.h"
#include "test_device.h"

using namespace deft;
using namespace deft::kernels;
using namespace deft::testing;

namespace {

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

template <class T>
std::vector<T> uniform(RandomStream random, std::int64_t n, T low, T high) {
  return output_of<T>(n, [&](auto device, T* output) { fill_uniform<T>(device, random, n, low, high, output); });
}

template <class T>
std::vector<T> normal(RandomStream random, std::int64_t n, T mean, T stddev) {
  return output_of<T>(n, [&](auto device, T* output) { fill_normal<T>(device, random, n, mean, stddev, output); });
}

std::vector<float> dropped(double p, const std::vector<float>& x) {
  const Buffer<float> input(x);
  const auto n = static_cast<std::int64_t>(x.size());
  return output_of<float>(
      n, [&](auto device, float* output) { dropout<float>(device, stream, n, p, input.data(), output); });
}

}  // namespace

TEMPLATE_TEST_CASE("uniform and normal numbers", "", float, double) {
  const std::int64_t n = 100003;
  const auto even = uniform<TestType>(stream, n, -1, 3), bell = normal<TestType>(stream, n, 2, 3);
  const auto [low, high] = std::minmax_element(even.begin(), even.end());
  CHECK(*low >= -1);
  CHECK(*high < 3);
  CHECK(mean_of(even) == Approx(1).margin(0.02));
  CHECK(variance_of(even) == Approx(16.0 / 12).epsilon(0.02));
  CHECK(mean_of(bell) == Approx(2).margin(0.05));
  CHECK(variance_of(bell) == Approx(9).epsilon(0.02));

  const auto begins = [](const std::vector<TestType>& all, const std::vector<TestType>& prefix) {
    return std::equal(prefix.begin(), prefix.end(), all.begin());
  };
  CHECK(begins(even, uniform<TestType>(stream, 1001, -1, 3)));
  CHECK(begins(bell, normal<TestType>(stream, 1001, 2, 3)));
  CHECK_FALSE(begins(bell, normal<TestType>({5, 8}, 1001, 2, 3)));
}

TEST_CASE("uniform numbers are the words of the stream") {
  const auto values = uniform<float>(stream, 6, 0, 1);
  const auto wide = uniform<double>(stream, 5, 0, 1);
  for (std::uint64_t i = 0; i < 6; ++i) CHECK(values[i] == uniform_float(philox(5, 7, i / 4).word[i % 4]));
  for (std::uint64_t i = 0; i < 5; ++i) {
    const PhiloxBlock block = philox(5, 7, i / 2);
    CHECK(wide[i] == uniform_double(block.word[i % 2 * 2], block.word[i % 2 * 2 + 1]));
  }
  // An interval of two neighbouring floats has one number in it.
  const float next = std::nextafter(1.0f, 2.0f);
  CHECK(uniform<float>(stream, 6, 1.0f, next) == std::vector<float>(6, 1.0f));
}

TEST_CASE("normal numbers are Box and Muller's of the words of the stream") {
  const auto values = normal<float>(stream, 7, 0, 1);
  const auto wide = normal<double>(stream, 7, 0, 1);
  for (std::uint64_t i = 0; i < 7; ++i) {
    const PhiloxBlock block = philox(5, 7, i / 4), wide_block = philox(5, 7, i / 2);
    const auto expected = [i](double u, double v) {
      const double radius = std::sqrt(-2 * std::log(1 - u)), angle = 2 * M_PI * v;
      return radius * (i % 2 == 0 ? std::cos(angle) : std::sin(angle));
    };
    const std::uint64_t pair = i % 4 / 2 * 2;
    const double u = static_cast<double>(uniform_float(block.word[pair]));
    const double v = static_cast<double>(uniform_float(block.word[pair + 1]));
    CHECK(static_cast<double>(values[i]) == Approx(expected(u, v)).epsilon(1e-6));
    const double wide_u = uniform_double(wide_block.word[0], wide_block.word[1]);
    CHECK(wide[i] == Approx(expected(wide_u, uniform_double(wide_block.word[2], wide_block.word[3]))).epsilon(1e-12));
  }
}

TEST_CASE("random integers cover their range evenly") {
  const auto values = output_of<std::int64_t>(60000, [](auto device, std::int64_t* output) {
    fill_randint<std::int64_t>(device, stream, 60000, -2, 4, output);
  });
  for (std::int64_t face = -2; face < 4; ++face) {
    CHECK(std::abs(std::count(values.begin(), values.end(), face) - 10000) < 400);
  }
}

TEST_CASE("dropout scales what it keeps and draws the same mask again") {
  const std::int64_t n = 50001;
  const std::vector<float> x(n, 3.0f), y = dropped(0.25, x);
  CHECK(dropped(0.25, x) == y);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const bool kept = uniform_float(philox(5, 7, i / 4).word[i % 4]) >= 0.25f;
    REQUIRE(y[i] == (kept ? 4.0f : 0.0f));
  }
  CHECK(std::count(y.begin(), y.end(), 4.0f) + std::count(y.begin(), y.end(), 0.0f) == n);
  CHECK(mean_of(y) == Approx(3).margin(0.03));
  CHECK(dropped(0, x) == x);
  CHECK(dropped(1, x) == std::vector<float>(n, 0.0f));
}
