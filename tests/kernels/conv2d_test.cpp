// conv2d kernels against plain loops in double.
#include "deft/kernels/conv2d.h"

#include <vector>

#include "deft/kernels/conv_algorithm.h"

#include "catch.h"
#include "kernels/conv_problem.h"
#include "kernels/naive_conv.h"

using namespace deft;
using kernels::Conv2dShape;

namespace {

class AlgorithmScope {
 public:
  explicit AlgorithmScope(Conv2dAlgorithm algorithm) : before_(conv2d_algorithm()) { set_conv2d_algorithm(algorithm); }
  ~AlgorithmScope() { set_conv2d_algorithm(before_); }
  AlgorithmScope(const AlgorithmScope&) = delete;
  AlgorithmScope& operator=(const AlgorithmScope&) = delete;

 private:
  Conv2dAlgorithm before_;
};

constexpr auto algorithms = {Conv2dAlgorithm::direct, Conv2dAlgorithm::winograd};

template <class T>
void check(const Conv2dProblem& p, const std::vector<double>& output, const naive::Gradients& expected) {
  const Conv2dResults<T> r = run<T>(p);
  // Winograd's algorithm takes differences of inputs and of products: more rounding than in the sums themselves.
  const double winograd_tolerance = sizeof(T) == sizeof(float) ? 1e-5 : kernel_tolerance<T>;
  const double tolerance = testing::tolerance_on_device<T>(
      conv2d_algorithm() == Conv2dAlgorithm::winograd ? winograd_tolerance : kernel_tolerance<T>);
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
    for (const Conv2dAlgorithm algorithm : algorithms) {
      const AlgorithmScope scope(algorithm);
      check<float>(p, output, gradients);
      check<double>(p, output, gradients);
    }
  }
}

TEST_CASE("Winograd's convolution keeps its error over many channels", "[cpu]") {
  Conv2dShape s = padded_3x3(1, 12, 11, 512, 40);
  const Conv2dProblem p(s);
  const AlgorithmScope scope(Conv2dAlgorithm::winograd);
  check<float>(p, naive::conv2d(s, p.input, p.weight, p.bias),
               naive::conv2d_backward(s, p.input, p.weight, p.grad_output));
}

TEST_CASE("a depthwise weight's gradient adds more pieces of work than are kept at once", "[cpu]") {
  const Conv2dShape s{34, 1, 10, 8192, 8192, 1, 3, 1, 1, 0, 0, 1, 1, 1, 1, 8192};
  const Conv2dProblem p(s);
  check<float>(p, naive::conv2d(s, p.input, p.weight, p.bias),
               naive::conv2d_backward(s, p.input, p.weight, p.grad_output));
}

TEST_CASE("conv2d_algorithm chooses where Winograd's convolution applies, and nowhere else", "[cpu]") {
  const auto output = [](const Conv2dShape& shape, Conv2dAlgorithm algorithm) {
    const AlgorithmScope scope(algorithm);
    return run<float>(Conv2dProblem(shape)).output;
  };
  const auto differ = [&](const Conv2dShape& shape, Conv2dAlgorithm a, Conv2dAlgorithm b) {
    return !same_bits(output(shape, a), output(shape, b));
  };
  const Conv2dShape usual = padded_3x3(2, 28, 28, 32, 32), few_channels = padded_3x3(2, 28, 28, 1, 4);
  CHECK(differ(usual, Conv2dAlgorithm::direct, Conv2dAlgorithm::winograd));
  CHECK_FALSE(differ(usual, Conv2dAlgorithm::automatic, Conv2dAlgorithm::winograd));
  CHECK(differ(few_channels, Conv2dAlgorithm::direct, Conv2dAlgorithm::winograd));
  CHECK_FALSE(differ(few_channels, Conv2dAlgorithm::automatic, Conv2dAlgorithm::direct));
  for (const Conv2dShape& other :
       {Conv2dShape{1, 9, 9, 32, 32, 3, 3, 2, 1}, Conv2dShape{1, 9, 9, 32, 32, 3, 1},
        Conv2dShape{1, 9, 9, 32, 32, 3, 3, 1, 1, 0, 0, 0, 0, 1, 2}, padded_3x3(1, 9, 9, 32, 32, 2)}) {
    CHECK_FALSE(differ(other, Conv2dAlgorithm::direct, Conv2dAlgorithm::winograd));
  }
}

TEST_CASE("conv2d kernels give the same bits for any number of threads") {
  for (const NamedShape& named : conv_shapes()) {
    INFO(named.name);
    const Conv2dProblem p(named.shape);
    for (const Conv2dAlgorithm algorithm : algorithms) {
      const AlgorithmScope algorithm_scope(algorithm);
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
  for (const Conv2dAlgorithm algorithm : algorithms) {
    const AlgorithmScope scope(algorithm);
    const Conv2dResults<float> r = run<float>(p);
    for (std::size_t i = 0; i < pixels; ++i) REQUIRE(std::isfinite(r.output[i]));
    for (std::size_t i = 0; i < image; ++i) REQUIRE(std::isfinite(r.grad_input[i]));
  }
}
