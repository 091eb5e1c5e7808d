// Optimizer steps worked by hand, over two elements.
#include "deft/kernels/optimizer_step.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "catch.h"

using namespace deft::kernels;

namespace {

void check_near(const std::vector<double>& actual, const std::vector<double>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) CHECK(actual[i] == Approx(expected[i]).epsilon(1e-13));
}

}  // namespace

TEST_CASE("plain SGD steps against gradient and weight decay") {
  const std::vector<double> grad{0.5, -1};
  std::vector<double> param{1, 2};
  sgd_step<double>(Cpu{}, 2, {.lr = 0.1, .weight_decay = 0.01}, grad.data(), nullptr, param.data());
  check_near(param, {1 - 0.1 * 0.51, 2 + 0.1 * 0.98});
  CHECK(grad == std::vector<double>{0.5, -1});
}

TEST_CASE("SGD keeps its momentum, damped from the second step on") {
  const std::vector<double> grad{1, -2};
  std::vector<double> param{0, 0}, buffer{NAN, NAN};
  SgdStep step{.lr = 0.1, .momentum = 0.9, .dampening = 0.5, .first = true};
  sgd_step<double>(Cpu{}, 2, step, grad.data(), buffer.data(), param.data());
  check_near(buffer, {1, -2});
  check_near(param, {-0.1, 0.2});
  step.first = false;
  sgd_step<double>(Cpu{}, 2, step, grad.data(), buffer.data(), param.data());
  check_near(buffer, {1.4, -2.8});  // 0.9 · 1 + 0.5 · 1
  check_near(param, {-0.24, 0.48});
}

TEST_CASE("Nesterov momentum looks one step ahead") {
  const std::vector<double> grad{1, -2};
  std::vector<double> param{0, 0}, buffer(2);
  SgdStep step{.lr = 0.1, .momentum = 0.9, .nesterov = true, .first = true};
  sgd_step<double>(Cpu{}, 2, step, grad.data(), buffer.data(), param.data());
  check_near(param, {-0.19, 0.38});  // 1 + 0.9 · 1
  step.first = false;
  sgd_step<double>(Cpu{}, 2, step, grad.data(), buffer.data(), param.data());
  check_near(param, {-0.19 - 0.271, 0.38 + 0.542});  // 1 + 0.9 · 1.9
}

TEST_CASE("Adam corrects its bias and adds eps outside the root") {
  const std::vector<double> grad{4, -0.5};
  std::vector<double> param{1, 1}, m(2), v(2);
  AdamStep step{.lr = 0.1, .beta1 = 0.8, .beta2 = 0.9, .eps = 0.5};
  adam_step<double>(Cpu{}, 2, step, grad.data(), m.data(), v.data(), param.data());
  // After one step both corrected moments are the gradient and its square.
  check_near(m, {0.8, -0.1});
  check_near(v, {1.6, 0.025});
  check_near(param, {1 - 0.1 * 4 / 4.5, 1 + 0.1 * 0.5 / 1.0});
  const std::vector<double> flat{0, 0}, first = param;
  step.step = 2;
  adam_step<double>(Cpu{}, 2, step, flat.data(), m.data(), v.data(), param.data());
  // m = 0.64, v = 1.44, corrected by 1 − 0.64 and 1 − 0.81.
  check_near(param, {first[0] - 0.1 * (0.64 / 0.36) / (std::sqrt(1.44 / 0.19) + 0.5),
                     first[1] + 0.1 * (0.08 / 0.36) / (std::sqrt(0.0225 / 0.19) + 0.5)});
}

TEST_CASE("weight decay joins Adam's gradient but shrinks AdamW's parameter") {
  const std::vector<double> grad{1, 1};
  std::vector<double> m(2), v(2), param{2, -4};
  AdamStep step{.lr = 0.1, .eps = 0, .weight_decay = 0.5};
  adam_step<double>(Cpu{}, 2, step, grad.data(), m.data(), v.data(), param.data());
  check_near(m, {0.1 * 2, 0.1 * -1});
  check_near(param, {1.9, -3.9});  // the sign of 1 + 0.5 · 2 and of 1 − 0.5 · 4
  m = v = {0, 0};
  param = {2, -4};
  step.decoupled = true;
  adam_step<double>(Cpu{}, 2, step, grad.data(), m.data(), v.data(), param.data());
  check_near(m, {0.1, 0.1});
  check_near(param, {2 * 0.95 - 0.1, -4 * 0.95 - 0.1});
}

TEST_CASE("optimizer steps reach every element of a large parameter") {
  const std::int64_t n = 40001;
  std::vector<float> grad(static_cast<std::size_t>(n), 1.0f), param(grad.size(), 0.0f);
  sgd_step<float>(Cpu{}, n, {.lr = 1}, grad.data(), nullptr, param.data());
  CHECK(param == std::vector<float>(grad.size(), -1.0f));
  sgd_step<float>(Cpu{}, 0, {.lr = 1}, nullptr, nullptr, nullptr);
}
