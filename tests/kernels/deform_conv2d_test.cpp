// deform_conv2d kernels against plain loops in double that follow torchvision.
#include "deft/kernels/deform_conv2d.h"

#include <cmath>
#include <limits>
#include <vector>

#include "catch.h"
#include "kernels/conv_cases.h"
#include "kernels/naive_conv.h"

using namespace deft;
using kernels::Cpu;
using kernels::DeformConv2dShape;

namespace {

struct Problem {
  Problem(const DeformConv2dShape& s, bool modulated)
      : shape(s),
        input(random_values(s.n * s.h * s.w * s.c, 1)),
        offset(random_values(s.n * s.h_out() * s.w_out() * s.offset_groups * s.taps() * 2, 2)),
        mask(random_values(modulated ? s.n * s.h_out() * s.w_out() * s.offset_groups * s.taps() : 0, 3)),
        weight(random_values(s.o * s.taps() * (s.c / s.groups), 4)),
        bias(random_values(s.o, 5)),
        grad_output(random_values(s.n * s.h_out() * s.w_out() * s.o, 6)) {
    // Steps of 1/256 pixel, up to some pixels: float holds the positions exactly, and some are whole numbers.
    for (double& value : offset) value = std::round(value * 2 * 256) / 256;
    for (std::size_t i = 0; i < offset.size(); i += 7) offset[i] = std::round(offset[i]);
  }

  DeformConv2dShape shape;
  std::vector<double> input, offset, mask, weight, bias, grad_output;
};

template <class T>
struct Results {
  std::vector<T> output, grad_input, grad_offset, grad_mask, grad_weight, grad_bias;
};

template <class T>
Results<T> run(const Problem& p) {
  const auto input = cast<T>(p.input), offset = cast<T>(p.offset), mask = cast<T>(p.mask), weight = cast<T>(p.weight),
             bias = cast<T>(p.bias), grad_output = cast<T>(p.grad_output);
  const T* const mask_data = mask.empty() ? nullptr : mask.data();
  // Preset to garbage, since the kernels overwrite.
  const auto filled = [](std::size_t size) { return std::vector<T>(size, T(7)); };
  Results<T> r{filled(grad_output.size()), filled(input.size()),  filled(offset.size()),
               filled(mask.size()),        filled(weight.size()), filled(bias.size())};
  kernels::deform_conv2d_forward<T>(Cpu{}, p.shape, input.data(), offset.data(), mask_data, weight.data(), bias.data(),
                                    r.output.data());
  kernels::deform_conv2d_backward<T>(Cpu{}, p.shape, input.data(), offset.data(), mask_data, weight.data(),
                                     grad_output.data(),
                                     {.input = r.grad_input.data(),
                                      .offset = r.grad_offset.data(),
                                      .mask = mask.empty() ? nullptr : r.grad_mask.data(),
                                      .weight = r.grad_weight.data(),
                                      .bias = r.grad_bias.data()});
  return r;
}

template <class T>
void check(const Problem& p, const std::vector<double>& output, const naive::Gradients& expected) {
  const Results<T> r = run<T>(p);
  const double tolerance = kernel_tolerance<T>;
  CHECK(relative_error(r.output, output) < tolerance);
  CHECK(relative_error(r.grad_input, expected.input) < tolerance);
  CHECK(relative_error(r.grad_offset, expected.offset) < tolerance);
  CHECK(relative_error(r.grad_mask, expected.mask) < tolerance);
  CHECK(relative_error(r.grad_weight, expected.weight) < tolerance);
  CHECK(relative_error(r.grad_bias, expected.bias) < tolerance);
}

/// Checks float and double.
void check(const Problem& p) {
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
    check(Problem(shape, true));
    if (shape.offset_groups == 1) check(Problem(shape, false));
  });
}

TEST_CASE("deform_conv2d kernels give the same bits for any number of threads") {
  for_shapes([](const DeformConv2dShape& shape) {
    const Problem p(shape, true);
    std::vector<Results<float>> results;
    for (int threads : {1, 2, 3}) {
      const ThreadsScope scope(threads);
      results.push_back(run<float>(p));
    }
    for (const Results<float>& r : results) {
      CHECK(same_bits(r.output, results[0].output));
      CHECK(same_bits(r.grad_input, results[0].grad_input));
      CHECK(same_bits(r.grad_offset, results[0].grad_offset));
      CHECK(same_bits(r.grad_mask, results[0].grad_mask));
      CHECK(same_bits(r.grad_weight, results[0].grad_weight));
      CHECK(same_bits(r.grad_bias, results[0].grad_bias));
    }
  });
}

TEST_CASE("deform_conv2d follows torchvision at whole positions and on the borders") {
  Problem p(small_shape(), true);
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
    Problem p(small_shape(), true);
    for (std::size_t i = 0; i < p.offset.size(); i += 3) p.offset[i] = value;
    check(p);
  }
}

TEMPLATE_TEST_CASE("deform_conv2d samples NaN at a NaN position and nowhere else", "", float, double) {
  Problem p(small_shape(), true);
  for (double& value : p.offset) value = 0;
  // Pixel (2, 3) of the first image, offset group 1 (channels 2 and 3: the last of group 0, the first of group 1).
  const std::size_t pixel = 2 * 6 + 3, tap = 4, entry = (pixel * 3 + 1) * 9 + tap;
  for (std::size_t part : {0, 1}) {
    const std::vector<double> offset = p.offset;
    p.offset[2 * entry + part] = std::numeric_limits<double>::quiet_NaN();
    const Results<TestType> r = run<TestType>(p);
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
  const Problem p(small_shape(), true);
  const Results<float> all = run<float>(p);
  const auto input = cast<float>(p.input), offset = cast<float>(p.offset), mask = cast<float>(p.mask),
             weight = cast<float>(p.weight), grad_output = cast<float>(p.grad_output);
  for (int wanted = 0; wanted < 32; ++wanted) {
    Results<float> r = all;
    const auto pick = [&](int bit, std::vector<float>& values) -> float* {
      values.assign(values.size(), 7.0f);
      return (wanted >> bit & 1) != 0 ? values.data() : nullptr;
    };
    kernels::deform_conv2d_backward<float>(Cpu{}, p.shape, input.data(), offset.data(), mask.data(), weight.data(),
                                           grad_output.data(),
                                           {pick(0, r.grad_input), pick(1, r.grad_offset), pick(2, r.grad_mask),
                                            pick(3, r.grad_weight), pick(4, r.grad_bias)});
    const auto right = [&](int bit, const std::vector<float>& values, const std::vector<float>& expected) {
      return same_bits(values, (wanted >> bit & 1) != 0 ? expected : std::vector<float>(values.size(), 7.0f));
    };
    CHECK(right(0, r.grad_input, all.grad_input));
    CHECK(right(1, r.grad_offset, all.grad_offset));
    CHECK(right(2, r.grad_mask, all.grad_mask));
    CHECK(right(3, r.grad_weight, all.grad_weight));
    CHECK(right(4, r.grad_bias, all.grad_bias));
  }
}
