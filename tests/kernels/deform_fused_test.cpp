// The fused deform_conv2d kernels against plain loops in double: in full precision, and in TF32 to 2e-3.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "deft/kernels/cuda/deform_algorithm.h"
#include "deft/kernels/runtime/precision.h"

#include "catch.h"
#include "kernels/conv_problem.h"
#include "kernels/naive_conv.h"

using namespace deft;
using kernels::DeformAlgorithm;
using kernels::DeformConv2dShape;

namespace {

/// Whether there are fused kernels on the test device; else says so, and ctest shows the test as skipped.
bool on_cuda() {
  if (testing::test_device().is_cpu()) testing::skip("the fused kernels need DEFT_TEST_DEVICE=cuda");
  return testing::test_device().is_cuda();
}

/// Chooses algorithm and precision for a scope.
class Scope {
 public:
  explicit Scope(DeformAlgorithm algorithm, MatmulPrecision precision = MatmulPrecision::highest)
      : algorithm_(kernels::deform_algorithm()), precision_(matmul_precision()) {
    kernels::set_deform_algorithm(algorithm);
    set_matmul_precision(precision);
  }
  ~Scope() {
    kernels::set_deform_algorithm(algorithm_);
    set_matmul_precision(precision_);
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  DeformAlgorithm algorithm_;
  MatmulPrecision precision_;
};

struct Expected {
  explicit Expected(const DeformProblem& p)
      : output(naive::deform_conv2d(p.shape, p.input, p.offset, p.mask, p.weight, p.bias)),
        gradients(naive::deform_conv2d_backward(p.shape, p.input, p.offset, p.mask, p.weight, p.grad_output)) {}

  std::vector<double> output;
  naive::Gradients gradients;
};

template <class T>
void check(const DeformProblem& p, const Expected& expected, MatmulPrecision precision, double tolerance) {
  INFO("precision " << static_cast<int>(precision) << ", " << sizeof(T) << " bytes");
  const Scope scope(DeformAlgorithm::fused, precision);
  const DeformResults<T> r = run<T>(p);
  CHECK(relative_error(r.output, expected.output) < tolerance);
  CHECK(relative_error(r.grad_input, expected.gradients.input) < tolerance);
  CHECK(relative_error(r.grad_offset, expected.gradients.offset) < tolerance);
  CHECK(relative_error(r.grad_mask, expected.gradients.mask) < tolerance);
  CHECK(relative_error(r.grad_weight, expected.gradients.weight) < tolerance);
  CHECK(relative_error(r.grad_bias, expected.gradients.bias) < tolerance);
}

/// Checks float in both precisions, and double.
void check(const DeformProblem& p) {
  const Expected expected(p);
  check<float>(p, expected, MatmulPrecision::highest, 1e-4);
  check<float>(p, expected, MatmulPrecision::tf32, 2e-3);
  check<double>(p, expected, MatmulPrecision::highest, 1e-9);
}

DeformConv2dShape deform_shape(const kernels::Conv2dShape& conv, std::int64_t offset_groups) {
  DeformConv2dShape shape;
  static_cast<kernels::Conv2dShape&>(shape) = conv;
  shape.offset_groups = offset_groups;
  return shape;
}

/// Enough output pixels for the large tiles, which small problems do without, on a GPU of up to 138 multiprocessors.
DeformConv2dShape large_shape(std::int64_t c, std::int64_t o) {
  kernels::Conv2dShape s;
  s.n = 2, s.h = 97, s.w = 92, s.c = c, s.o = o, s.kernel_h = 2;
  return deform_shape(s, 1);
}

}  // namespace

TEST_CASE("fused deform_conv2d agrees with plain loops") {
  if (!on_cuda()) return;
  for (const NamedShape& named : conv_shapes()) {
    if (is_for_depthwise_pieces(named.shape)) continue;
    for (std::int64_t offset_groups : {1, 2, 3, 5}) {
      if (named.shape.c % offset_groups != 0 || (named.shape.c == 0 && offset_groups > 1)) continue;
      INFO(named.name << ", offset groups " << offset_groups);
      const DeformConv2dShape shape = deform_shape(named.shape, offset_groups);
      check(DeformProblem(shape, true));
      if (offset_groups == 1) check(DeformProblem(shape, false));
    }
  }
}

TEST_CASE("fused deform_conv2d agrees with plain loops in every size of tile") {
  if (!on_cuda()) return;
  for (std::int64_t o : {9, 40, 72}) {
    for (std::int64_t c : {3, 12}) {
      INFO(c << " channels to " << o);
      check(DeformProblem(large_shape(c, o), true));
    }
  }
}

TEST_CASE("fused deform_conv2d takes kernels whose taps are planned in turns") {
  if (!on_cuda()) return;
  kernels::Conv2dShape s = padded_3x3(1, 12, 13, 10, 12);
  s.kernel_h = 7, s.kernel_w = 9, s.pad_left = 4;
  check(DeformProblem(deform_shape(s, 5), true));
}

// No rounding, so that no order of the sums changes a bit: the emulator's check of launches covers the kernels with atomic
// additions here.
TEST_CASE("deform_conv2d of small whole numbers at half pixels is exact") {
  if (!on_cuda()) return;
  DeformProblem p(deform_shape(padded_3x3(2, 6, 7, 8, 12, 1), 2), true);
  for (std::vector<double>* values : {&p.input, &p.mask, &p.weight, &p.bias, &p.grad_output}) {
    for (double& value : *values) value = std::round(2 * value);
  }
  for (double& value : p.offset) value = std::round(2 * value) / 2;
  const Expected expected(p);
  for (const DeformAlgorithm algorithm : {DeformAlgorithm::panel, DeformAlgorithm::fused}) {
    INFO("algorithm " << static_cast<int>(algorithm));
    const Scope scope(algorithm);
    const DeformResults<double> r = run<double>(p);
    CHECK(run<float>(p).grad_input == cast<float>(expected.gradients.input));
    CHECK(r.output == expected.output);
    CHECK(r.grad_input == expected.gradients.input);
    CHECK(r.grad_offset == expected.gradients.offset);
    CHECK(r.grad_mask == expected.gradients.mask);
    CHECK(r.grad_weight == expected.gradients.weight);
  }
}

TEST_CASE("fused deform_conv2d survives offsets of any bit pattern") {
  if (!on_cuda()) return;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double denormal = std::numeric_limits<float>::denorm_min(), largest = std::numeric_limits<float>::max();
  for (const double value : {1e30, -1e30, 2147483648.0, -2147483904.0, 9.3e18, infinity, -infinity, denormal, -denormal,
                             largest, -largest}) {
    INFO(value);
    DeformProblem p(deform_shape(padded_3x3(2, 5, 6, 8, 12, 2), 2), true);
    for (std::size_t i = 0; i < p.offset.size(); i += 3) p.offset[i] = value;
    check(p);
  }
}

TEMPLATE_TEST_CASE("fused deform_conv2d samples NaN at a NaN position and nowhere else", "", float, double) {
  if (!on_cuda()) return;
  for (MatmulPrecision precision : {MatmulPrecision::highest, MatmulPrecision::tf32}) {
    const Scope scope(DeformAlgorithm::fused, precision);
    DeformProblem p(deform_shape(padded_3x3(2, 5, 6, 6, 4, 2), 3), true);
    for (double& value : p.offset) value = 0;
    // Pixel (2, 3) of the first image, offset group 1 (channels 2 and 3: the last of group 0, the first of group 1).
    const std::size_t pixel = 2 * 6 + 3, entry = (pixel * 3 + 1) * 9 + 4;
    p.offset[2 * entry] = std::numeric_limits<double>::quiet_NaN();
    const DeformResults<TestType> r = run<TestType>(p);
    for (std::size_t i = 0; i < r.output.size(); ++i) REQUIRE(std::isnan(r.output[i]) == (i / 4 == pixel));
    for (TestType value : r.grad_input) REQUIRE(std::isfinite(value));
    for (std::size_t i = 0; i < r.grad_mask.size(); ++i) REQUIRE(std::isnan(r.grad_mask[i]) == (i == entry));
    for (std::size_t i = 0; i < r.grad_offset.size(); ++i) {
      if (i / 2 != entry) REQUIRE(std::isfinite(r.grad_offset[i]));
    }
  }
}

TEST_CASE("fused deform_conv2d gives the same bits every time, but for the input's gradient") {
  if (!on_cuda()) return;
  const DeformProblem p(deform_shape(padded_3x3(2, 13, 11, 16, 24), 2), true);
  for (MatmulPrecision precision : {MatmulPrecision::highest, MatmulPrecision::tf32}) {
    const Scope scope(DeformAlgorithm::fused, precision);
    const DeformResults<float> first = run<float>(p), second = run<float>(p);
    CHECK(same_bits(first.output, second.output));
    CHECK(same_bits(first.grad_offset, second.grad_offset));
    CHECK(same_bits(first.grad_mask, second.grad_mask));
    CHECK(same_bits(first.grad_weight, second.grad_weight));
    CHECK(same_bits(first.grad_bias, second.grad_bias));
  }
}
