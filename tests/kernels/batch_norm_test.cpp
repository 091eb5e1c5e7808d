// Batch normalisation against its definition in double, and its accuracy far from zero.
#include "deft/kernels/batch_norm.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "deft/kernels/parallel_for.h"
#include "deft/kernels/philox.h"

#include "catch.h"

using namespace deft;
using kernels::BatchNormShape;
using kernels::Cpu;

namespace {

constexpr double eps = 1e-3;

std::vector<double> random_values(std::int64_t n, std::uint64_t seed, double mean = 0) {
  PhiloxSequence random(seed, 0);
  std::vector<double> values(static_cast<std::size_t>(n));
  for (double& value : values) value = mean + random.normal();
  return values;
}

template <class T>
struct Training {
  std::vector<T> mean, inv_std, output, running_mean, running_var, grad_input, grad_weight, grad_bias;
};

template <class T>
Training<T> train(const BatchNormShape& s, const std::vector<T>& input, const std::vector<T>& weight,
                  const std::vector<T>& bias, const std::vector<T>& grad_output) {
  const auto c = static_cast<std::size_t>(s.channels);
  Training<T> r{std::vector<T>(c),    std::vector<T>(c),    std::vector<T>(input.size()),
                std::vector<T>(c, 0), std::vector<T>(c, 1), std::vector<T>(input.size()),
                std::vector<T>(c),    std::vector<T>(c)};
  kernels::batch_norm_forward_training<T>(Cpu{}, s, input.data(), weight.data(), bias.data(), eps,
                                          {r.running_mean.data(), r.running_var.data(), 0.3}, r.mean.data(),
                                          r.inv_std.data(), r.output.data());
  kernels::batch_norm_backward<T>(Cpu{}, s, true, grad_output.data(), input.data(), r.mean.data(), r.inv_std.data(),
                                  weight.data(), {r.grad_input.data(), r.grad_weight.data(), r.grad_bias.data()});
  return r;
}

// One channel's definition, straight from the formulas; sums in long double.
struct Moments {
  double mean, variance;
};

Moments reference_moments(const std::vector<double>& input, std::size_t channels, std::size_t channel) {
  long double sum = 0, squares = 0;
  const auto rows = static_cast<long double>(input.size() / channels);
  for (std::size_t i = channel; i < input.size(); i += channels) sum += input[i];
  for (std::size_t i = channel; i < input.size(); i += channels) {
    squares += (input[i] - sum / rows) * (input[i] - sum / rows);
  }
  return {static_cast<double>(sum / rows), static_cast<double>(squares / rows)};
}

}  // namespace

TEST_CASE("batch norm normalises, updates its running statistics and has the gradients of its formula") {
  for (std::int64_t rows : {2, 77, 9000}) {  // 9000 rows make several blocks
    const BatchNormShape s{rows, 5};
    const std::size_t c = 5;
    const auto n = static_cast<double>(rows);
    const auto input = random_values(rows * 5, 1, 3), grad_output = random_values(rows * 5, 2);
    const auto weight = random_values(5, 3), bias = random_values(5, 4);
    const auto r = train<double>(s, input, weight, bias, grad_output);
    for (std::size_t k = 0; k < c; ++k) {
      const Moments m = reference_moments(input, c, k);
      const double inv_std = 1 / std::sqrt(m.variance + eps);
      CHECK(r.mean[k] == Approx(m.mean).epsilon(1e-13));
      CHECK(r.inv_std[k] == Approx(inv_std).epsilon(1e-13));
      CHECK(r.running_mean[k] == Approx(0.3 * m.mean).epsilon(1e-13));
      CHECK(r.running_var[k] == Approx(0.7 + 0.3 * m.variance * n / (n - 1)).epsilon(1e-13));
      double sum = 0, weighted = 0;
      for (std::size_t i = k; i < input.size(); i += c) {
        sum += grad_output[i];
        weighted += grad_output[i] * (input[i] - m.mean) * inv_std;
      }
      CHECK(r.grad_bias[k] == Approx(sum).margin(1e-10));
      CHECK(r.grad_weight[k] == Approx(weighted).margin(1e-10));
      for (std::size_t i = k; i < input.size(); i += c) {
        const double normalised = (input[i] - m.mean) * inv_std;
        REQUIRE(r.output[i] == Approx(normalised * weight[k] + bias[k]).margin(1e-12));
        const double grad = (grad_output[i] - sum / n - normalised * weighted / n) * inv_std * weight[k];
        REQUIRE(r.grad_input[i] == Approx(grad).margin(1e-11));
      }
    }
  }
}

TEST_CASE("with given statistics batch norm is a scale and a shift") {
  const BatchNormShape s{3, 2};
  const std::vector<double> input{1, 2, 3, 4, 5, 6}, grad_output{1, -1, 2, 0, 0.5, 3};
  const std::vector<double> mean{2, 4}, variance{4 - eps, 0.25 - eps}, weight{3, 5}, bias{0.5, -1};
  std::vector<double> inv_std(2), output(6), grad_input(6), grad_weight(2), grad_bias(2);
  kernels::batch_norm_forward_inference<double>(Cpu{}, s, input.data(), weight.data(), bias.data(), eps, mean.data(),
                                                variance.data(), inv_std.data(), output.data());
  kernels::batch_norm_backward<double>(Cpu{}, s, false, grad_output.data(), input.data(), mean.data(), inv_std.data(),
                                       weight.data(), {grad_input.data(), grad_weight.data(), grad_bias.data()});
  const std::vector<double> output_expected{-1, -21, 2, -1, 5, 19}, grad_expected{1.5, -10, 3, 0, 0.75, 30};
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(output[i] == Approx(output_expected[i]));
    CHECK(grad_input[i] == Approx(grad_expected[i]).margin(1e-12));
  }
  CHECK(grad_weight[0] == Approx(0.5 * (-1 * 1 + 1 * 2 + 3 * 0.5)));
  CHECK(grad_weight[1] == Approx(2 * (-2 * -1 + 0 + 2 * 3)));
  CHECK(grad_bias[0] == Approx(3.5));
  CHECK(grad_bias[1] == Approx(2));
}

TEST_CASE("batch norm without weight, bias and running statistics, and of no rows") {
  const std::vector<double> input{1, 3};
  std::vector<double> mean(1), inv_std(1), output(2), grad_input(2, NAN);
  kernels::batch_norm_forward_training<double>(Cpu{}, {2, 1}, input.data(), nullptr, nullptr, 0.0, {}, mean.data(),
                                               inv_std.data(), output.data());
  CHECK(output == std::vector<double>{-1, 1});
  const std::vector<double> grad_output{1, 0};
  kernels::batch_norm_backward<double>(Cpu{}, {2, 1}, true, grad_output.data(), input.data(), mean.data(),
                                       inv_std.data(), nullptr, {grad_input.data(), nullptr, nullptr});
  CHECK(grad_input == std::vector<double>{0, 0});  // two values normalise to -1 and 1 wherever they lie

  std::vector<double> grad_weight{NAN}, grad_bias{NAN};
  kernels::batch_norm_forward_training<double>(Cpu{}, {0, 1}, nullptr, nullptr, nullptr, eps, {}, mean.data(),
                                               inv_std.data(), nullptr);
  kernels::batch_norm_backward<double>(Cpu{}, {0, 1}, true, nullptr, nullptr, mean.data(), inv_std.data(), nullptr,
                                       {nullptr, grad_weight.data(), grad_bias.data()});
  CHECK(grad_weight[0] == 0);
  CHECK(grad_bias[0] == 0);
}

TEST_CASE("float32 batch norm keeps its accuracy far from zero and its bits for any number of threads") {
  const BatchNormShape s{20000, 3};
  const auto values = random_values(60000, 1, 1000);
  const std::vector<float> input(values.begin(), values.end());
  const std::vector<double> rounded(input.begin(), input.end());
  const std::vector<float> weight{1, 1, 1}, bias{0, 0, 0};
  const int before = num_threads();
  set_num_threads(1);
  const auto one = train<float>(s, input, weight, bias, input);
  set_num_threads(3);
  const auto three = train<float>(s, input, weight, bias, input);
  set_num_threads(before);
  CHECK(one.output == three.output);
  CHECK(one.running_var == three.running_var);
  CHECK(one.grad_input == three.grad_input);
  CHECK(one.grad_weight == three.grad_weight);
  for (std::size_t k = 0; k < 3; ++k) {
    const Moments m = reference_moments(rounded, 3, k);
    CHECK(one.inv_std[k] == Approx(1 / std::sqrt(m.variance + eps)).epsilon(1e-6));
  }
}
