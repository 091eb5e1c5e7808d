// Softmax, log-softmax and cross entropy against their formulas.
#include "deft/kernels/softmax.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <tuple>
#include <vector>

#include "catch.h"
#include "kernels/spaces.h"
#include "test_device.h"

using namespace deft;
using namespace deft::kernels;
using namespace deft::testing;

namespace {

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
                                    SoftmaxShape{0, 4, 2}, SoftmaxShape{1, 3000, 20}, SoftmaxShape{3, 2000, 1}}) {
    const std::int64_t n = shape.outer * shape.n * shape.inner;
    const auto x = random_values<double>(n, 1, -5, 5), g = random_values<double>(n, 2);
    const Buffer<double> device_x(x), device_g(g);
    const auto y = output_of<double>(
        n, [&](auto device, double* out) { softmax_forward<double>(device, shape, device_x.data(), out); });
    const auto log_y = output_of<double>(
        n, [&](auto device, double* out) { log_softmax_forward<double>(device, shape, device_x.data(), out); });
    const Buffer<double> device_y(y), device_log_y(log_y);
    const auto gx = output_of<double>(n, [&](auto device, double* out) {
      softmax_backward<double>(device, shape, device_g.data(), device_y.data(), out);
    });
    const auto log_gx = output_of<double>(n, [&](auto device, double* out) {
      log_softmax_backward<double>(device, shape, device_g.data(), device_log_y.data(), out);
    });
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
  const Buffer<float> x({1e30f, 1e30f, -1e30f});
  const auto y = output_of<float>(3, [&](auto device, float* out) {
    softmax_forward<float>(device, {1, 3, 1}, x.data(), out);
  });
  CHECK(y == std::vector<float>{0.5f, 0.5f, 0.0f});
  const auto log_y = output_of<float>(3, [&](auto device, float* out) {
    log_softmax_forward<float>(device, {1, 3, 1}, x.data(), out);
  });
  CHECK(log_y == std::vector<float>{-0.69314718f, -0.69314718f, -2e30f});
}

TEST_CASE("cross entropy with weights, ignored targets and label smoothing, and its gradient") {
  const std::int64_t n = 9, ignored = 3;
  const std::vector<std::int64_t> target = {0, 5, 3, 3, 1, 2, 4, 0, 5};
  const Buffer<std::int64_t> device_target(target);
  const auto g = random_values<double>(n, 4);
  const Buffer<double> device_g(g);
  for (const auto& [classes, smoothing, weighted] : {std::tuple<std::int64_t, double, bool>{6, 0.0, false},
                                                     {6, 0.1, false},
                                                     {6, 1.0, false},
                                                     {1500, 0.0, false},
                                                     {1500, 0.1, false},
                                                     {6, 0.0, true},
                                                     {6, 0.1, true},
                                                     {1500, 0.1, true}}) {
    const auto x = random_values<double>(n * classes, 3, -4, 4);
    const std::vector<double> w =
        weighted ? random_values<double>(classes, 5, 0, 2) : std::vector<double>(static_cast<std::size_t>(classes), 1);
    const Buffer<double> device_x(x), device_w(w);
    Buffer<double> device_loss(g), log_sum_exp(g), target_weight(g);
    const CrossEntropyShape shape{n, classes, smoothing, weighted ? ignored : -100};
    const double* const weight = weighted ? device_w.data() : nullptr;
    const auto grad = output_of<double>(n * classes, [&](auto device, double* out) {
      cross_entropy_forward<double>(device, shape, device_x.data(), device_target.data(), weight, device_loss.data(),
                                    log_sum_exp.data(), target_weight.data());
      cross_entropy_backward<double>(device, shape, device_g.data(), device_x.data(), device_target.data(), weight,
                                     log_sum_exp.data(), out);
    });
    const auto loss = device_loss.values(), normalizer = log_sum_exp.values(), own_weight = target_weight.values();
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t row = i * static_cast<std::size_t>(classes);
      const bool counts = !(weighted && target[i] == ignored);
      double sum = 0, expected = 0, total = 0;
      std::vector<double> wanted;  // the share of each class in the loss
      for (std::int64_t c = 0; c < classes; ++c) {
        const double share = (c == target[i] ? 1 - smoothing : 0) + smoothing / static_cast<double>(classes);
        wanted.push_back(counts ? share * w[static_cast<std::size_t>(c)] : 0);
        total += wanted.back();
        sum += std::exp(x[row + static_cast<std::size_t>(c)]);
      }
      for (std::size_t c = 0; c < wanted.size(); ++c) {
        const double p = std::exp(x[row + c]) / sum;
        expected -= wanted[c] * std::log(p);
        REQUIRE(grad[row + c] == Approx(g[i] * (total * p - wanted[c])).epsilon(1e-10).margin(1e-12));
      }
      REQUIRE(loss[i] == Approx(expected).epsilon(1e-12));
      REQUIRE(own_weight[i] == (counts ? w[static_cast<std::size_t>(target[i])] : 0));
      if (counts) REQUIRE(normalizer[i] == Approx(std::log(sum)).epsilon(1e-12));
    }
  }
}
