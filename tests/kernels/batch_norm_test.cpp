// Batch normalisation against its definition in double, and its accuracy far from zero.
#include "deft/kernels/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "deft/kernels/runtime/parallel_for.h"
#include "deft/kernels/runtime/philox.h"

#include "catch.h"
#include "test_device.h"

using namespace deft;
using deft::testing::Buffer;
using deft::testing::on_test_device;
using kernels::BatchNormShape;

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

// Forward and backward on the test device. An empty weight or bias stands for none; so do empty running statistics.
template <class T>
Training<T> train(const BatchNormShape& s, const std::vector<T>& input, const std::vector<T>& weight,
                  const std::vector<T>& bias, const std::vector<T>& grad_output, double epsilon = eps,
                  bool keeps_statistics = true) {
  const auto c = static_cast<std::size_t>(s.channels);
  const std::vector<T> unwritten(c, T(NAN));
  const Buffer<T> in(input), scale(weight), shift(bias), grad_out(grad_output);
  Buffer<T> mean(unwritten), inv_std(unwritten), out(std::vector<T>(input.size(), T(NAN)));
  Buffer<T> running_mean(std::vector<T>(keeps_statistics ? c : 0, 0)),
      running_var(std::vector<T>(keeps_statistics ? c : 0, 1));
  Buffer<T> grad_input(std::vector<T>(input.size(), T(NAN))), grad_weight(unwritten), grad_bias(unwritten);
  on_test_device([&](auto place) {
    kernels::batch_norm_forward_training<T>(place, s, in.data(), scale.data(), shift.data(), epsilon,
                                            {running_mean.data(), running_var.data(), 0.3}, mean.data(), inv_std.data(),
                                            out.data());
    kernels::batch_norm_backward<T>(place, s, true, grad_out.data(), in.data(), mean.data(), inv_std.data(),
                                    scale.data(), {grad_input.data(), grad_weight.data(), grad_bias.data()});
  });
  return {mean.values(),        inv_std.values(),    out.values(),         running_mean.values(),
          running_var.values(), grad_input.values(), grad_weight.values(), grad_bias.values()};
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
  // 9000 rows make several blocks; six and seventy channels can be read in pairs, seventy take two tiles.
  for (const BatchNormShape& s : {BatchNormShape{2, 5}, {77, 5}, {9000, 5}, {77, 6}, {600, 70}}) {
    CAPTURE(s.rows, s.channels);
    const auto c = static_cast<std::size_t>(s.channels);
    const auto n = static_cast<double>(s.rows);
    const auto input = random_values(s.rows * s.channels, 1, 3), grad_output = random_values(s.rows * s.channels, 2);
    const auto weight = random_values(s.channels, 3), bias = random_values(s.channels, 4);
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
  const Buffer<double> in(input), grad_out(grad_output), given_mean(mean), given_variance(variance), scale(weight),
      shift(bias);
  Buffer<double> inv_std(std::vector<double>(2)), out(std::vector<double>(6)), grad_in(std::vector<double>(6)),
      grad_scale(std::vector<double>(2)), grad_shift(std::vector<double>(2));
  on_test_device([&](auto place) {
    kernels::batch_norm_forward_inference<double>(place, s, in.data(), scale.data(), shift.data(), eps,
                                                  given_mean.data(), given_variance.data(), inv_std.data(), out.data());
    kernels::batch_norm_backward<double>(place, s, false, grad_out.data(), in.data(), given_mean.data(), inv_std.data(),
                                         scale.data(), {grad_in.data(), grad_scale.data(), grad_shift.data()});
  });
  const std::vector<double> output = out.values(), grad_input = grad_in.values();
  const std::vector<double> grad_weight = grad_scale.values(), grad_bias = grad_shift.values();
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
  const auto bare = train<double>({2, 1}, {1, 3}, {}, {}, {1, 0}, 0, false);
  CHECK(bare.output == std::vector<double>{-1, 1});
  CHECK(bare.grad_input == std::vector<double>{0, 0});  // two values normalise to -1 and 1 wherever they lie

  const auto none = train<double>({0, 1}, {}, {}, {}, {}, eps, false);
  CHECK(none.mean[0] == 0);
  CHECK(none.inv_std[0] == 0);
  CHECK(none.grad_weight[0] == 0);
  CHECK(none.grad_bias[0] == 0);
  CHECK(train<float>({4, 0}, {}, {}, {}, {}).output.empty());
}

TEST_CASE("each gradient of batch norm comes alone, too") {
  const BatchNormShape s{40, 4};
  const auto input = random_values(160, 1), grad_output = random_values(160, 2), weight = random_values(4, 3);
  const auto all = train<double>(s, input, weight, weight, grad_output);
  const Buffer<double> in(input), grad_out(grad_output), mean(all.mean), inv_std(all.inv_std), scale(weight);
  Buffer<double> grad_in(input), grad_scale(weight), grad_shift(weight);
  const auto backward = [&](const kernels::BatchNormGradients<double>& gradients) {
    on_test_device([&](auto place) {
      kernels::batch_norm_backward<double>(place, s, true, grad_out.data(), in.data(), mean.data(), inv_std.data(),
                                           scale.data(), gradients);
    });
  };
  backward({grad_in.data(), nullptr, nullptr});
  backward({nullptr, grad_scale.data(), nullptr});
  backward({nullptr, nullptr, grad_shift.data()});
  CHECK(grad_in.values() == all.grad_input);
  CHECK(grad_scale.values() == all.grad_weight);
  CHECK(grad_shift.values() == all.grad_bias);
}

TEST_CASE("float32 batch norm keeps its accuracy far from zero and its bits for any number of threads") {
  for (const BatchNormShape& s : {BatchNormShape{20000, 3}, {5000, 12}}) {
    const auto values = random_values(s.rows * s.channels, 1, 1000);
    const std::vector<float> input(values.begin(), values.end());
    const std::vector<double> rounded(input.begin(), input.end());
    const auto c = static_cast<std::size_t>(s.channels);
    const std::vector<float> weight(c, 1), bias(c, 0);
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
    for (std::size_t k = 0; k < c; ++k) {
      const Moments m = reference_moments(rounded, c, k);
      CHECK(one.inv_std[k] == Approx(1 / std::sqrt(m.variance + eps)).epsilon(1e-6));
    }
  }
}

TEST_CASE("batch norm in float32 takes values whose squares float32 cannot hold") {
  const auto named = train<float>({4, 1}, {1e20f, -1e20f, 1e20f, -1e20f}, {}, {}, {1, 2, 3, 5}, 1e-5);
  for (std::size_t i = 0; i < 4; ++i) CHECK(named.output[i] == Approx(i % 2 == 0 ? 1 : -1));
  CHECK(named.inv_std[0] == Approx(1e-20));
  // Pull is 11/4 and slope −3/4 · 1e-20: 1 − 2.75 + 0.75, 2 − 2.75 − 0.75, …
  const std::vector<double> expected{-1, -1.5, 1, 1.5};
  for (std::size_t i = 0; i < 4; ++i) CHECK(named.grad_input[i] * 1e20 == Approx(expected[i]).epsilon(1e-5));
  CHECK(named.grad_weight[0] == Approx(-3));

  // Channels of one kind each, and other channels beside them that must stay as they are; the first row of a block is
  // not typical.
  const std::vector<double> scales{1, 1e20, 1e-20, 1e19, 1e-30, 1e37, 3, 1e-3};
  const auto kinds = static_cast<std::int64_t>(scales.size());
  for (const BatchNormShape& s : {BatchNormShape{2, kinds}, {40, kinds - 1}, {40, 9 * kinds}, {9000, kinds}}) {
    for (const double epsilon : {1e-5, 0.0}) {
      for (const double gradient : {1.0, 1e18}) {
        CAPTURE(s.rows, s.channels, epsilon, gradient);
        const auto c = static_cast<std::size_t>(s.channels), n = static_cast<std::size_t>(s.rows * s.channels);
        const auto normal = random_values(s.rows * s.channels, 1),
                   normal_gradient = random_values(s.rows * s.channels, 2);
        std::vector<float> input(n), grad_output(n);
        for (std::size_t i = 0; i < n; ++i) {
          input[i] = static_cast<float>((i < c ? 4 : normal[i]) * scales[i % c % scales.size()]);
          // No product with the inverse of a tiny deviation may overflow.
          grad_output[i] = static_cast<float>(normal_gradient[i] * (scales[i % c % scales.size()] < 1 ? 1 : gradient));
        }
        const auto r = train<float>(s, input, std::vector<float>(c, 1), std::vector<float>(c, 0), grad_output, epsilon);
        const std::vector<double> exact(input.begin(), input.end());
        for (std::size_t k = 0; k < c; ++k) {
          CAPTURE(k);
          const Moments m = reference_moments(exact, c, k);
          const double inv_std = 1 / std::sqrt(m.variance + epsilon), count = static_cast<double>(s.rows);
          double sum = 0, weighted = 0, largest = 0;
          for (std::size_t i = k; i < n; i += c) {
            sum += grad_output[i];
            weighted += grad_output[i] * (exact[i] - m.mean) * inv_std;
            largest = std::max(largest, std::abs(static_cast<double>(grad_output[i])));
          }
          REQUIRE(r.inv_std[k] == Approx(inv_std).epsilon(1e-5));
          REQUIRE(r.grad_weight[k] == Approx(weighted).margin(1e-5 * count * largest));
          REQUIRE(r.grad_bias[k] == Approx(sum).margin(1e-5 * count * largest));
          const double running = 0.7 + 0.3 * m.variance * count / (count - 1);
          if (running < 3e38) REQUIRE(r.running_var[k] == Approx(running).epsilon(1e-5));
          for (std::size_t i = k; i < n; i += c) {
            const double normalised = (exact[i] - m.mean) * inv_std;
            REQUIRE(r.output[i] == Approx(normalised).margin(1e-4));
            const double grad = (grad_output[i] - sum / count - normalised * weighted / count) * inv_std;
            REQUIRE(r.grad_input[i] == Approx(grad).margin(1e-4 * largest * inv_std));
          }
        }
      }
    }
  }
}

TEST_CASE("channels beside one of huge values keep their bits") {
  const BatchNormShape s{500, 9};
  const auto values = random_values(s.rows * s.channels, 1), gradient = random_values(s.rows * s.channels, 2);
  std::vector<float> input(values.begin(), values.end());
  const std::vector<float> grad_output(gradient.begin(), gradient.end()), weight(9, 1), bias(9, 0);
  const auto before = train<float>(s, input, weight, bias, grad_output);
  for (std::size_t i = 4; i < input.size(); i += 9) input[i] *= 1e25f;
  const auto after = train<float>(s, input, weight, bias, grad_output);
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (i % 9 == 4) continue;
    REQUIRE(after.output[i] == before.output[i]);
    REQUIRE(after.grad_input[i] == before.grad_input[i]);
  }
}
