// conv2d kernels against plain loops in double.
#include "deft/kernels/conv2d.h"

#include <vector>

#include "catch.h"
#include "kernels/conv_problem.h"
#include "kernels/naive_conv.h"

using namespace deft;
using kernels::Conv2dShape;

namespace {

template <class T>
void check(const Conv2dProblem& p, const std::vector<double>& output, const naive::Gradients& expected) {
  const Conv2dResults<T> r = run<T>(p);
  const double tolerance = testing::tolerance_on_device<T>(kernel_tolerance<T>);
  CHECK(relative_error(r.output, output) < tolerance);
  CHECK(relative_error(r.grad_input, expected.input) < tolerance);
  CHECK(relative_error(r.grad_weight, expected.weight) < tolerance);
  CHECK(relative_error(r.grad_bias, expected.bias) < tolerance);
  const Conv2dResults<T> without_bias = run<T>(p, false);
  std::vector<double> unbiased = output;
  for (std::size_t i = 0; i < unbiased.size(); ++i) unbiased[i] -= p.bias[i % p.bias.size()];
  CHECK(relative_error(without_bias.output, unbiased) < tolerance);
  CHECK(same_bits(without_bias.grad_weight, r.grad_weight));
}

}  // namespace

TEST_CASE("conv2d kernels agree with plain loops") {
  for (const NamedShape& named : conv_shapes()) {
    INFO(named.name);
    const Conv2dProblem p(named.shape);
    const std::vector<double> output = naive::conv2d(p.shape, p.input, p.weight, p.bias);
    const naive::Gradients gradients = naive::conv2d_backward(p.shape, p.input, p.weight, p.grad_output);
    check<float>(p, output, gradients);
    check<double>(p, output, gradients);
  }
}

TEST_CASE("conv2d kernels give the same bits for any number of threads") {
  for (const NamedShape& named : conv_shapes()) {
    INFO(named.name);
    const Conv2dProblem p(named.shape);
    std::vector<Conv2dResults<float>> results;
    for (int threads : {1, 2, 3}) {
      const ThreadsScope scope(threads);
      results.push_back(run<float>(p));
    }
    for (const Conv2dResults<float>& r : results) {
      CHECK(same_bits(r.output, results[0].output));
      CHECK(same_bits(r.grad_input, results[0].grad_input));
      CHECK(same_bits(r.grad_weight, results[0].grad_weight));
      CHECK(same_bits(r.grad_bias, results[0].grad_bias));
    }
  }
}

TEST_CASE("conv2d reads nothing outside the image, whatever stands beside it") {
  // The image of NaNs next to a finite one must not leak into it.
  Conv2dShape s{.n = 2,
                .h = 4,
                .w = 4,
                .c = 5,
                .o = 3,
                .kernel_h = 3,
                .kernel_w = 3,
                .pad_top = 1,
                .pad_bottom = 1,
                .pad_left = 1,
                .pad_right = 1};
  Conv2dProblem p(s);
  const std::size_t image = p.input.size() / 2, pixels = p.grad_output.size() / 2;
  for (std::size_t i = image; i < p.input.size(); ++i) p.input[i] = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = pixels; i < p.grad_output.size(); ++i)
    p.grad_output[i] = std::numeric_limits<double>::infinity();
  const Conv2dResults<float> r = run<float>(p);
  for (std::size_t i = 0; i < pixels; ++i) REQUIRE(std::isfinite(r.output[i]));
  for (std::size_t i = 0; i < image; ++i) REQUIRE(std::isfinite(r.grad_input[i]));
}
