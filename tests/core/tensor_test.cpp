// Tensors: creation, access, sharing, conversion, printing.
#include "deft/core/tensor.h"

#include <cmath>

#include "deft/kernels/runtime/error.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

TEST_CASE("shapes count, compare and print") {
  const Shape shape{2, 3, 4};
  CHECK(shape.numel() == 24);
  CHECK(Shape{}.numel() == 1);
  CHECK(shape.size(-1) == 4);
  CHECK(to_string(shape) == "[2, 3, 4]");
  CHECK(shape != Shape{2, 3});
  CHECK_THROWS_WITH(shape.size(3), Contains("axis is 3") && Contains("[2, 3, 4]"));
  CHECK_THROWS_WITH((Shape{1, -2}), Contains("-2"));
  CHECK_THROWS_WITH((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), Contains("8"));
}

TEST_CASE("sizes beyond any memory are errors") {
  const std::int64_t huge = std::int64_t{1} << 32;
  CHECK_THROWS_WITH(Shape({huge, huge}).numel(), Contains("[4294967296, 4294967296]") && Contains("memory"));
  CHECK(Shape({huge, huge, 0}).numel() == 0);
  CHECK_THROWS_WITH(empty({std::int64_t{1} << 59}), Contains("out of memory"));
  CHECK_THROWS_AS(empty({std::int64_t{1} << 61}), Error);
  CHECK_THROWS_WITH(Shape{}.size(0), Contains("scalar"));
}

TEST_CASE("numbers that a type cannot hold are errors") {
  CHECK_THROWS_WITH(full({1}, 300, {.dtype = DType::uint8}), Contains("300") && Contains("uint8"));
  CHECK_THROWS_WITH(full({1}, 0.5, {.dtype = DType::int64}), Contains("0.5"));
  CHECK_THROWS_WITH(full({1}, std::nan(""), {.dtype = DType::int64}), Contains("nan"));
  CHECK_THROWS_WITH(full({1}, 0x1p63, {.dtype = DType::int64}), Contains("int64"));
  CHECK_THROWS_WITH(arange(250, 260, 1, {.dtype = DType::uint8}), Contains("259"));
  CHECK_THROWS_WITH(arange(0, 1e300), Contains("1e+300"));
  CHECK(from_vector<std::int64_t>({(std::int64_t{1} << 53) + 1}).item<std::int64_t>() == (std::int64_t{1} << 53) + 1);
}

TEST_CASE("shapes broadcast by NumPy's rules") {
  CHECK(broadcast_shapes({4, 1, 3}, {2, 1}, "add") == Shape{4, 2, 3});
  CHECK(broadcast_shapes({}, {2, 1}, "add") == Shape{2, 1});
  CHECK(broadcast_shapes({0, 1}, {1, 5}, "add") == Shape{0, 5});
  CHECK_THROWS_WITH(broadcast_shapes({2, 3}, {4, 3}, "add"), Contains("add: shapes [2, 3] and [4, 3]"));
}

TEST_CASE("creation functions fill every type") {
  for (DType dtype : {DType::float32, DType::float64, DType::int64, DType::uint8}) {
    CHECK(full({2, 3}, 7, {.dtype = dtype}).to(DType::float64).to_vector<double>() == std::vector<double>(6, 7));
    CHECK(zeros({0, 3}, {.dtype = dtype}).numel() == 0);
  }
  CHECK(arange(1, 2, 0.25).to_vector<float>() == std::vector<float>{1, 1.25f, 1.5f, 1.75f});
  CHECK(arange(3, 0, -1, {.dtype = DType::int64}).to_vector<std::int64_t>() == std::vector<std::int64_t>{3, 2, 1});
  CHECK_THROWS_WITH(from_vector<float>({1, 2, 3}, {2, 2}), Contains("3 values") && Contains("[2, 2]"));
}

TEST_CASE("arange does not reach its end, whatever its elements round to") {
  const auto doubles = [](double begin, double end, double step) {
    return arange(begin, end, step, {.dtype = DType::float64}).to_vector<double>();
  };
  // (0.9 - 0.6) / 0.1 is 3.0000000000000004 in float64, and 0.6 + 3 · 0.1 is 0.9.
  CHECK(doubles(0.6, 0.9, 0.1) == std::vector<double>{0.6, 0.6 + 0.1, 0.6 + 2 * 0.1});
  CHECK(arange(0.6, 0.9, 0.1).to_vector<float>() == std::vector<float>{0.6f, 0.7f, 0.8f});
  CHECK(doubles(-0.6, -0.9, -0.1) == std::vector<double>{-0.6, -0.6 - 0.1, -0.6 - 2 * 0.1});
  CHECK(doubles(1, 1.3, 0.1).size() == 3);  // NumPy has 4, and warns of it in its documentation
  CHECK(doubles(1, 1, 0.1).empty());
  CHECK(doubles(1, 2, -0.1).empty());
  CHECK(doubles(0, std::nextafter(1, 2), 0.5) == std::vector<double>{0, 0.5, 1});
  // float32 has no numbers between 2^24 and 2^24 + 2: 2^24 + 3 rounds to 2^24 + 4.
  CHECK(arange(16777216, 16777220).to_vector<float>() == std::vector<float>{16777216, 16777216, 16777218});

  // Steps of hundredths, against the same range in integers.
  for (int step : {1, 2, 3, 7, 10, 25, 30, -1, -3, -10}) {
    for (int begin = -100; begin <= 100; begin += 5) {
      for (int length = 0; length < 120; ++length) {
        const int end = step > 0 ? begin + length : begin - length;
        const auto elements = doubles(begin / 100.0, end / 100.0, step / 100.0);
        const auto size = static_cast<std::size_t>((length + std::abs(step) - 1) / std::abs(step));
        CAPTURE(begin, end, step);
        REQUIRE(elements.size() >= size);
        if (elements.empty()) continue;
        REQUIRE((step > 0 ? elements.back() < end / 100.0 : elements.back() > end / 100.0));
        // An element more comes to the end but for rounding.
        if (elements.size() > size) REQUIRE(std::abs(elements.back() - end / 100.0) < 1e-15);
      }
    }
  }
}

TEST_CASE("arange of integers is exact") {
  const auto integers = [](double begin, double end, double step) {
    return arange(begin, end, step, {.dtype = DType::int64}).to_vector<std::int64_t>();
  };
  CHECK(integers(0, 2.5, 1) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(integers(0, -2.5, -1) == std::vector<std::int64_t>{0, -1, -2});
  CHECK(integers(0, 7, 3) == std::vector<std::int64_t>{0, 3, 6});
  CHECK(integers(0, 6, 3) == std::vector<std::int64_t>{0, 3});
  const std::int64_t big = std::int64_t{1} << 53;
  CHECK(integers(0x1p53, 0x1p53 + 4, 1) == std::vector<std::int64_t>{big, big + 1, big + 2, big + 3});
  CHECK(integers(-0x1p63, 0x1p63, 0x1p62).size() == 4);
  CHECK(integers(0, 1e19, 1e18).back() == 9'000'000'000'000'000'000);
  CHECK_THROWS_WITH(integers(0, 2e19, 1e18), Contains("int64"));
  CHECK(arange(250, 260, 10, {.dtype = DType::uint8}).to_vector<std::uint8_t>() == std::vector<std::uint8_t>{250});
  CHECK(arange(3, -1, -1, {.dtype = DType::uint8}).to_vector<std::uint8_t>() == std::vector<std::uint8_t>{3, 2, 1, 0});
}

TEST_CASE("arange refuses a range without a finite number of elements") {
  CHECK_THROWS_WITH(arange(0, 1, 0), Contains("step 0"));
  CHECK_THROWS_WITH(arange(0, NAN), Contains("end nan"));
  CHECK_THROWS_WITH(arange(0, INFINITY), Contains("end inf"));
  CHECK_THROWS_WITH(arange(INFINITY, 0), Contains("begin inf"));
  CHECK_THROWS_WITH(arange(0, 1, INFINITY), Contains("step inf"));
  CHECK_THROWS_WITH(arange(0, 1e39, 1e38), Contains("arange: 1e+39 does not fit float32"));
}

TEST_CASE("handles share elements, clones do not") {
  Tensor a = from_vector<float>({1, 2, 3, 4}, {2, 2});
  Tensor handle = a;
  Tensor copy = a.clone();
  Tensor row = alias(a, {2}, 2);
  handle.fill_(9);
  CHECK(a.to_vector<float>() == std::vector<float>{9, 9, 9, 9});
  CHECK(row.to_vector<float>() == std::vector<float>{9, 9});
  CHECK(copy.to_vector<float>() == std::vector<float>{1, 2, 3, 4});
  CHECK_THROWS_AS(alias(a, {3}, 2), Error);
}

TEST_CASE("a tensor may be copied onto itself and onto what it overlaps") {
  Tensor a = from_vector<float>({1, 2, 3, 4});
  a.copy_(a);
  CHECK(a.to_vector<float>() == std::vector<float>{1, 2, 3, 4});
  alias(a, {3}, 1).copy_(alias(a, {3}));
  CHECK(a.to_vector<float>() == std::vector<float>{1, 1, 2, 3});
}

TEST_CASE("access with the wrong type or of nothing is an error") {
  CHECK_THROWS_WITH(ones({2}).data<double>(), Contains("float32") && Contains("float64"));
  CHECK_THROWS_WITH(ones({2}).item(), Contains("[2]"));
  CHECK_THROWS_WITH(Tensor().shape(), Contains("undefined"));
  CHECK(ones({1}).item<float>() == 1);
  CHECK_THROWS_WITH(ones({2}).copy_(ones({3})), Contains("[3]") && Contains("[2]"));
}

TEST_CASE("conversion between types carries gradients") {
  const Tensor x = from_vector<float>({1.5f, -2.5f}).set_requires_grad();
  const Tensor y = x.to(DType::float64);
  y.backward({.gradient = from_vector<double>({1, 2})});
  CHECK(x.grad().to_vector<float>() == std::vector<float>{1, 2});
  CHECK(x.detach().to(DType::int64).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, -2});
}

TEST_CASE("tensors print with their type and shape") {
  CHECK(to_string(from_vector<float>({1, 2.5f, 3, 4}, {2, 2})) == "[[1, 2.5],\n [3, 4]] float32 [2, 2]");
  CHECK(to_string(arange(0, 10)) == "[0, 1, 2, …, 7, 8, 9] float32 [10]");
  CHECK(to_string(full({}, 3)) == "3 float32 []");
  CHECK(to_string(Tensor()) == "undefined tensor");
}
