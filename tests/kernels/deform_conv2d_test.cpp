// deform_conv2d kernels against plain loops in double that follow torchvision.
#include "deft/kernels/deform_conv2d.h"

#include <cmath>
#include <limits>
#include <vector>

#include "catch.h"
#include "kernels/conv_problem.h"
#include "kernels/naive_conv.h"

using namespace deft;
using kernels::DeformConv2dShape;

namespace {

template <class T>
void check(const DeformProblem& p, const std::vector<double>& output, const naive::Gradients& expected) {
  const DeformResults<T> r = run<T>(p);
  const double tolerance = testing::tolerance_on_device<T>(kernel_tolerance<T>);
  CHECK(relative_error(r.output, output) < tolerance);
  CHECK(relative_error(r.grad_input, expected.input) < tolerance);
  CHECK(relative_error(r.grad_offset, expected.offset) < tolerance);
  CHECK(relative_error(r.grad_mask, expected.mask) < tolerance);
  CHECK(relative_error(r.grad_weight, expected.weight) < tolerance);
  CHECK(relative_error(r.grad_bias, expected.bias) < tolerance);
}

/// Whether two runs gave the same gradient of the input. A GPU adds it up in any order.
bool same_sums(const std::vector<float>& a, const std::vector<float>& b) {
  if (testing::test_device().is_cpu()) return same_bits(a, b);
  return relative_error(a, std::vector<double>(b.begin(), b.end())) < testing::tolerance_on_device<float>(0);
}

/// Checks float and double.
void check(const DeformProblem& p) {
  const std::vector<double> output = naive::deform_conv2d(p.shape, p.input, p.offset, p.mask, p.weight, p.bias);
  const naive::Gradients gradients =
      naive::deform_conv2d_backward(p.shape, p.input, p.offset, p.mask, p.weight, p.grad_output);
  check<float>(p, output, gradients);
  check<double>(p, output, gradients);
}

/// The shapes of the grid, each with one offset group and with as many others as divide its channels.
template <class Body>
void for_shapes(Body&& body) {
  for (const NamedShape& named : conv_shapes()) {
    if (testing::test_device().is_cuda() && is_for_depthwise_pieces(named.shape)) continue;
    for (std::int64_t offset_groups : {1, 2, 3, 5}) {
      if (named.shape.c % offset_groups != 0 || (named.shape.c == 0 && offset_groups > 1)) continue;
      DeformConv2dShape shape;
      static_cast<kernels::Conv2dShape&>(shape) = named.shape;
      shape.offset_groups = offset_groups;
      INFO(named.name << ", offset groups " << offset_groups);
      body(shape);
    }
  }
}

DeformConv2dShape small_shape() {
  DeformConv2dShape s;
  s.n = 2, s.h = 5, s.w = 6, s.c = 6, s.o = 4, s.kernel_h = s.kernel_w = 3;
  s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = 1, s.groups = 2, s.offset_groups = 3;
  return s;
}

}  // namespace

TEST_CASE("deform_conv2d kernels agree with plain loops") {
  for_shapes([](const DeformConv2dShape& shape) {
    check(DeformProblem(shape, true));
    if (shape.offset_groups == 1) check(DeformProblem(shape, false));
  });
}

TEST_CASE("deform_conv2d kernels give the same bits for any number of threads", "[long]") {
  for_shapes([](const DeformConv2dShape& shape) {
    const DeformProblem p(shape, true);
    std::vector<DeformResults<float>> results;
    for (int threads : {1, 2, 3}) {
      const ThreadsScope scope(threads);
      results.push_back(run<float>(p));
    }
    for (const DeformResults<float>& r : results) {
      CHECK(same_bits(r.output, results[0].output));
      CHECK(same_sums(r.grad_input, results[0].grad_input));
      CHECK(same_bits(r.grad_offset, results[0].grad_offset));
      CHECK(same_bits(r.grad_mask, results[0].grad_mask));
      CHECK(same_bits(r.grad_weight, results[0].grad_weight));
      CHECK(same_bits(r.grad_bias, results[0].grad_bias));
    }
  });
}

TEST_CASE("deform_conv2d follows torchvision at whole positions and on the borders") {
  DeformProblem p(small_shape(), true);
  for (double position : {-2.0, -1.0, -0.5, 0.0, 4.0, 4.5, 5.0, 6.0, 7.0}) {
    // All taps read this row, and columns around it.
    INFO(position);
    for (std::size_t e = 0; e < p.offset.size() / 2; ++e) {
      const auto tap = static_cast<std::int64_t>(e) % 9, pixel = static_cast<std::int64_t>(e) / (9 * 3) % 30;
      p.offset[2 * e] = position - static_cast<double>(pixel / 6 - 1 + tap / 3);
      p.offset[2 * e + 1] = e % 2 == 0 ? position - static_cast<double>(pixel % 6 - 1 + tap % 3) : 0.25;
    }
    check(p);
  }
}

TEST_CASE("deform_conv2d survives offsets of any bit pattern") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double denormal = std::numeric_limits<float>::denorm_min(), largest = std::numeric_limits<float>::max();
  for (const double value : {1e30, -1e30, 2147483648.0, -2147483904.0, 9.3e18, infinity, -infinity, denormal, -denormal,
                             largest, -largest}) {
    INFO(value);
    DeformProblem p(small_shape(), true);
    for (std::size_t i = 0; i < p.offset.size(); i += 3) p.offset[i] = value;
    check(p);
  }
}

TEMPLATE_TEST_CASE("deform_conv2d samples NaN at a NaN position and nowhere else", "", float, double) {
  DeformProblem p(small_shape(), true);
  for (double& value : p.offset) value = 0;
  // Pixel (2, 3) of the first image, offset group 1 (channels 2 and 3: the last of group 0, the first of group 1).
  const std::size_t pixel = 2 * 6 + 3, tap = 4, entry = (pixel * 3 + 1) * 9 + tap;
  for (std::size_t part : {0, 1}) {
    const std::vector<double> offset = p.offset;
    p.offset[2 * entry + part] = std::numeric_limits<double>::quiet_NaN();
    const DeformResults<TestType> r = run<TestType>(p);
    for (std::size_t i = 0; i < r.output.size(); ++i) REQUIRE(std::isnan(r.output[i]) == (i / 4 == pixel));
    for (TestType value : r.grad_input) REQUIRE(std::isfinite(value));
    for (std::size_t i = 0; i < r.grad_mask.size(); ++i) REQUIRE(std::isnan(r.grad_mask[i]) == (i == entry));
    for (std::size_t i = 0; i < r.grad_offset.size(); ++i) {
      if (i / 2 != entry) REQUIRE(std::isfinite(r.grad_offset[i]));
    }
    p.offset = offset;
  }
}

TEST_CASE("deform_conv2d computes any subset of the gradients") {
  const DeformProblem p(small_shape(), true);
  const DeformResults<float> all = run<float>(p);
  for (int wanted = 0; wanted < 32; ++wanted) {
    const DeformResults<float> r = run<float>(p, wanted);
    const auto expected = [&](int bit, const std::vector<float>& values) {
      return (wanted >> bit & 1) != 0 ? values : std::vector<float>(values.size(), 7.0f);
    };
    CHECK(same_sums(r.grad_input, expected(0, all.grad_input)));
    CHECK(same_bits(r.grad_offset, expected(1, all.grad_offset)));
    CHECK(same_bits(r.grad_mask, expected(2, all.grad_mask)));
    CHECK(same_bits(r.grad_weight, expected(3, all.grad_weight)));
    CHECK(same_bits(r.grad_bias, expected(4, all.grad_bias)));
  }
}
