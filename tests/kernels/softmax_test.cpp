// Softmax, log-softmax and cross entropy against their formulas.
#include "deft/kernels/softmax.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.h"
#include "kernels/spaces.h"

using namespace deft;
using namespace deft::kernels;
using namespace deft::testing;

namespace {

constexpr Cpu cpu;

// Calls check(offset of element i of a line, line's sum of exp) for every element.
template <class Check>
void for_each_element(const SoftmaxShape& s, const std::vector<double>& x, Check&& check) {
  for (std::int64_t outer = 0; outer < s.outer; ++outer) {
    for (std::int64_t inner = 0; inner < s.inner; ++inner) {
      std::vector<std::size_t> line;
      for (std::int64_t i = 0; i < s.n; ++i)
        line.push_back(static_cast<std::size_t>((outer * s.n + i) * s.inner + inner));
      double sum = 0;
      for (std::size_t i : line) sum += std::exp(x[i]);
      for (std::size_t i : line) check(i, line, sum);
    }
  }
}

}  // namespace

TEST_CASE("softmax and log_softmax over any axis, with gradients") {
  for (const SoftmaxShape& shape : {SoftmaxShape{4, 10, 1}, SoftmaxShape{3, 7, 5}, SoftmaxShape{2, 1, 3},
                                    SoftmaxShape{0, 4, 2}, SoftmaxShape{1, 3000, 20}}) {
    const std::int64_t n = shape.outer * shape.n * shape.inner;
    const auto x = random_values<double>(n, 1, -5, 5), g = random_values<double>(n, 2);
    auto y = zeros_like(x), log_y = zeros_like(x), gx = zeros_like(x), log_gx = zeros_like(x);
    softmax_forward(cpu, shape, x.data(), y.data());
    softmax_backward(cpu, shape, g.data(), y.data(), gx.data());
    log_softmax_forward(cpu, shape, x.data(), log_y.data());
    log_softmax_backward(cpu, shape, g.data(), log_y.data(), log_gx.data());
    for_each_element(shape, x, [&](std::size_t i, const std::vector<std::size_t>& line, double sum) {
      const auto p = [&](std::size_t j) { return std::exp(x[j]) / sum; };
      REQUIRE(y[i] == Approx(p(i)).epsilon(1e-12));
      REQUIRE(log_y[i] == Approx(x[i] - std::log(sum)).epsilon(1e-12));
      double grad = 0, log_grad = 0;  // Σ_j g_j ∂y_j/∂x_i, from the Jacobians p_j (δ_ij − p_i) and δ_ij − p_i
      for (std::size_t j : line) {
        grad += g[j] * p(j) * ((i == j ? 1 : 0) - p(i));
        log_grad += g[j] * ((i == j ? 1 : 0) - p(i));
      }
      REQUIRE(gx[i] == Approx(grad).epsilon(1e-9).margin(1e-12));
      REQUIRE(log_gx[i] == Approx(log_grad).epsilon(1e-9).margin(1e-12));
    });
  }
}

TEST_CASE("softmax of huge values does not overflow") {
  const std::vector<float> x = {1e30f, 1e30f, -1e30f};
  std::vector<float> y(3);
  softmax_forward<float>(cpu, {1, 3, 1}, x.data(), y.data());
  CHECK(y == std::vector<float>{0.5f, 0.5f, 0.0f});
}

TEST_CASE("cross entropy with label smoothing, and its gradient") {
  const std::int64_t n = 9, classes = 6;
  const auto x = random_values<double>(n * classes, 3, -4, 4), g = random_values<double>(n, 4);
  const std::vector<std::int64_t> target = {0, 5, 3, 3, 1, 2, 4, 0, 5};
  for (double smoothing : {0.0, 0.1, 1.0}) {
    const CrossEntropyShape shape{n, classes, smoothing};
    std::vector<double> loss(n), log_sum_exp(n), grad(x.size());
    cross_entropy_forward(cpu, shape, x.data(), target.data(), loss.data(), log_sum_exp.data());
    cross_entropy_backward(cpu, shape, g.data(), x.data(), target.data(), log_sum_exp.data(), grad.data());
    for (std::size_t i = 0; i < n; ++i) {
      const double* row = x.data() + i * classes;
      double sum = 0, expected = 0;
      for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(row[c]);
      for (std::int64_t c = 0; c < classes; ++c) {
        const double wanted = (c == target[i] ? 1 - smoothing : 0) + smoothing / classes;
        expected -= wanted * std::log(std::exp(row[c]) / sum);
        const double slope = g[i] * (std::exp(row[c]) / sum - wanted);
        REQUIRE(grad[i * classes + static_cast<std::size_t>(c)] == Approx(slope).epsilon(1e-10).margin(1e-12));
      }
      REQUIRE(loss[i] == Approx(expected).epsilon(1e-12));
      REQUIRE(log_sum_exp[i] == Approx(std::log(sum)).epsilon(1e-12));
    }
  }
}
