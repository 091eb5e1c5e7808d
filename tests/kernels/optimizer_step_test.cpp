// Optimizer steps worked by hand, over two elements, and over many parameters at once.
#include "deft/kernels/optimizer_step.h"

#include <cmath>
#include <cstdint>
#include <deque>
#include <vector>

#include "catch.h"
#include "kernels/spaces.h"
#include "test_device.h"

using namespace deft::kernels;
using namespace deft::testing;

namespace {

void check_near(const std::vector<double>& actual, const std::vector<double>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) CHECK(actual[i] == Approx(expected[i]).epsilon(1e-13));
}

// One parameter with what the steps keep for it.
template <class T>
struct Parameter {
  Parameter(const std::vector<T>& grad, const std::vector<T>& param, const std::vector<T>& state)
      : n(static_cast<std::int64_t>(grad.size())), grad(grad), m(state), v(state), param(param) {}

  std::int64_t n;
  Buffer<T> grad, m, v, param;
};

void sgd(const SgdStep& step, Parameter<double>& p, bool first = false) {
  on_test_device([&](auto place) {
    sgd_step<double>(place, step, {{p.n, p.grad.data(), p.m.data(), p.param.data(), first}});
  });
}

void adam(const AdamStep& step, Parameter<double>& p, std::int64_t number = 1) {
  on_test_device([&](auto place) {
    adam_step<double>(place, step, {{p.n, p.grad.data(), p.m.data(), p.v.data(), p.param.data(), number}});
  });
}

}  // namespace

TEST_CASE("plain SGD steps against gradient and weight decay") {
  const std::vector<double> grad{0.5, -1};
  const Buffer<double> device_grad(grad);
  Buffer<double> param({1, 2});
  on_test_device([&](auto place) {
    const SgdStep step{.lr = 0.1, .weight_decay = 0.01};
    sgd_step<double>(place, step, {{2, device_grad.data(), nullptr, param.data()}});
  });
  check_near(param.values(), {1 - 0.1 * 0.51, 2 + 0.1 * 0.98});
  CHECK(device_grad.values() == grad);
}

TEST_CASE("SGD keeps its momentum, damped from the second step on") {
  Parameter<double> p({1, -2}, {0, 0}, {NAN, NAN});
  const SgdStep step{.lr = 0.1, .momentum = 0.9, .dampening = 0.5};
  sgd(step, p, true);
  check_near(p.m.values(), {1, -2});
  check_near(p.param.values(), {-0.1, 0.2});
  sgd(step, p);
  check_near(p.m.values(), {1.4, -2.8});  // 0.9 · 1 + 0.5 · 1
  check_near(p.param.values(), {-0.24, 0.48});
}

TEST_CASE("Nesterov momentum looks one step ahead") {
  Parameter<double> p({1, -2}, {0, 0}, {0, 0});
  const SgdStep step{.lr = 0.1, .momentum = 0.9, .nesterov = true};
  sgd(step, p, true);
  check_near(p.param.values(), {-0.19, 0.38});  // 1 + 0.9 · 1
  sgd(step, p);
  check_near(p.param.values(), {-0.19 - 0.271, 0.38 + 0.542});  // 1 + 0.9 · 1.9
}

TEST_CASE("Adam corrects its bias and adds eps outside the root") {
  Parameter<double> p({4, -0.5}, {1, 1}, {0, 0});
  const AdamStep step{.lr = 0.1, .beta1 = 0.8, .beta2 = 0.9, .eps = 0.5};
  adam(step, p);
  // After one step both corrected moments are the gradient and its square.
  check_near(p.m.values(), {0.8, -0.1});
  check_near(p.v.values(), {1.6, 0.025});
  const std::vector<double> first = p.param.values();
  check_near(first, {1 - 0.1 * 4 / 4.5, 1 + 0.1 * 0.5 / 1.0});
  const Buffer<double> flat({0, 0});
  on_test_device([&](auto place) {
    adam_step<double>(place, step, {{2, flat.data(), p.m.data(), p.v.data(), p.param.data(), 2}});
  });
  // m = 0.64, v = 1.44, corrected by 1 − 0.64 and 1 − 0.81.
  check_near(p.param.values(), {first[0] - 0.1 * (0.64 / 0.36) / (std::sqrt(1.44 / 0.19) + 0.5),
                                first[1] + 0.1 * (0.08 / 0.36) / (std::sqrt(0.0225 / 0.19) + 0.5)});
}

TEST_CASE("weight decay joins Adam's gradient but shrinks AdamW's parameter") {
  AdamStep step{.lr = 0.1, .eps = 0, .weight_decay = 0.5};
  Parameter<double> coupled({1, 1}, {2, -4}, {0, 0}), decoupled({1, 1}, {2, -4}, {0, 0});
  adam(step, coupled);
  check_near(coupled.m.values(), {0.1 * 2, 0.1 * -1});
  check_near(coupled.param.values(), {1.9, -3.9});  // the sign of 1 + 0.5 · 2 and of 1 − 0.5 · 4
  step.decoupled = true;
  adam(step, decoupled);
  check_near(decoupled.m.values(), {0.1, 0.1});
  check_near(decoupled.param.values(), {2 * 0.95 - 0.1, -4 * 0.95 - 0.1});
}

TEMPLATE_TEST_CASE("steps, norms and scaling reach every element of many parameters", "", float, double) {
  using T = TestType;
  std::deque<Parameter<T>> parameters;
  std::vector<SgdArrays<T>> sgd;
  std::vector<AdamArrays<T>> adam;
  std::vector<GradientArray<const T>> read;
  std::vector<GradientArray<T>> changed;
  std::vector<std::vector<T>> grads;
  // One array begins in the middle of a vector: its first element is not among those that are given.
  const auto skipped = [](const std::vector<T>& array) { return array.size() == 4097 ? 1 : 0; };
  double squares = 0;
  for (const std::int64_t size : {40001, 0, 1, 4096, 4097}) {
    for (int i = 0; i < (size == 1 ? 150 : 1); ++i) {  // more than fit in the parameters of one kernel
      const std::vector<T> grad = random_values<T>(size, grads.size());
      const int skip = skipped(grad);
      auto& p = parameters.emplace_back(grad, std::vector<T>(grad.size(), T(1)), std::vector<T>(grad.size(), T(0)));
      const std::int64_t n = size - skip;
      for (auto g = grad.begin() + skip; g != grad.end(); ++g)
        squares += static_cast<double>(*g) * static_cast<double>(*g);
      sgd.push_back({n, p.grad.data() + skip, nullptr, p.param.data() + skip});
      adam.push_back({n, p.grad.data() + skip, p.m.data() + skip, p.v.data() + skip, p.param.data() + skip, 1 + i % 2});
      read.push_back({n, p.grad.data() + skip});
      changed.push_back({n, p.grad.data() + skip});
      grads.push_back(grad);
    }
  }
  CHECK(on_test_device([&](auto place) { return squared_norm<T>(place, read); }) == Approx(squares).epsilon(1e-12));
  CHECK(on_test_device([&](auto place) { return squared_norm<T>(place, {}); }) == 0);
  on_test_device([&](auto place) {
    sgd_step<T>(place, {.lr = 0.5}, sgd);
    scale<T>(place, T(0.25), changed);
    adam_step<T>(place, {.lr = 0, .beta1 = 0.5}, adam);
  });
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const auto param = parameters[k].param.values(), grad = parameters[k].grad.values(), m = parameters[k].m.values();
    for (std::size_t i = 0; i < param.size(); ++i) {
      const bool given = static_cast<int>(i) >= skipped(grads[k]);
      REQUIRE(param[i] == Approx(given ? 1 - grads[k][i] / 2 : 1).margin(1e-6));
      REQUIRE(grad[i] == (given ? grads[k][i] / 4 : grads[k][i]));
      REQUIRE(m[i] == (given ? grads[k][i] / 8 : 0));
    }
  }
}
