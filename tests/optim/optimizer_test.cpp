// Optimizers over two parameters: steps worked by hand, groups, state, and what they refuse.
#include <cmath>
#include <memory>

#include "deft/core/elementwise.h"
#include "deft/core/reduce.h"
#include "deft/core/safetensors.h"
#include "deft/optim/adam.h"
#include "deft/optim/adamw.h"
#include "deft/optim/sgd.h"

#include "catch.h"
#include "temporary_directory.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

namespace {

Tensor parameter(const std::vector<double>& values) { return from_vector(values).set_requires_grad(); }

void set_grad(Tensor tensor, const std::vector<double>& values) { tensor.set_grad(from_vector(values)); }

std::vector<double> values(const Tensor& tensor) { return tensor.to_vector<double>(); }

void check_near(const Tensor& tensor, const std::vector<double>& expected) {
  const auto actual = values(tensor);
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) CHECK(actual[i] == Approx(expected[i]).epsilon(1e-13));
}

}  // namespace

TEST_CASE("SGD with momentum over two parameters, three steps by hand") {
  Tensor a = parameter({1, -1}), b = parameter({2});
  SGD sgd({a, b}, {.lr = 0.1, .momentum = 0.5});
  set_grad(a, {1, 2});
  set_grad(b, {-4});
  sgd.step();
  check_near(a, {0.9, -1.2});
  check_near(b, {2.4});
  CHECK(values(a.grad()) == std::vector<double>{1, 2});  // gradients are left alone
  sgd.zero_grad();
  CHECK_FALSE(a.grad().defined());
  set_grad(a, {0, 0});
  sgd.step();  // b has no gradient and rests
  check_near(a, {0.85, -1.3});
  check_near(b, {2.4});
  sgd.zero_grad();
  set_grad(b, {1});
  sgd.step();
  check_near(a, {0.85, -1.3});
  check_near(b, {2.5});  // buffer -4 · 0.5 + 1
}

TEST_CASE("SGD starts its buffer undamped and decays weights through the gradient") {
  Tensor a = parameter({2}), b = parameter({0});
  SGD sgd({a, b}, {.lr = 1, .momentum = 0.5, .dampening = 0.25, .weight_decay = 0.1});
  set_grad(a, {1});
  set_grad(b, {1});
  sgd.step();
  check_near(a, {2 - 1.2});
  check_near(b, {-1});
  sgd.step();
  check_near(a, {0.8 - (0.5 * 1.2 + 0.75 * 1.08)});
  check_near(b, {-1 - (0.5 + 0.75 * 0.9)});
}

TEST_CASE("Nesterov momentum over two parameters") {
  Tensor a = parameter({0}), b = parameter({1});
  SGD sgd({a, b}, {.lr = 0.1, .momentum = 0.5, .nesterov = true});
  set_grad(a, {2});
  set_grad(b, {-2});
  sgd.step();
  sgd.step();
  check_near(a, {-0.3 - 0.1 * (2 + 0.5 * 3)});
  check_near(b, {1.3 + 0.1 * (2 + 0.5 * 3)});
}

TEST_CASE("Adam counts the steps of each parameter by itself") {
  Tensor a = parameter({1}), b = parameter({1});
  Adam adam({a, b}, {.lr = 0.1, .eps = 0});
  set_grad(a, {3});
  adam.step();
  check_near(a, {0.9});  // the first step is lr · sign(grad)
  check_near(b, {1});
  set_grad(b, {-7});
  adam.step();
  check_near(a, {0.8});
  check_near(b, {1.1});  // b's first step
  adam.zero_grad();
  set_grad(a, {0});
  adam.step();
  const double m = 0.9 * (1 - 0.81) * 3, v = 0.999 * (1 - 0.999 * 0.999) * 9;
  check_near(a, {0.8 - 0.1 * (m / (1 - 0.729)) / std::sqrt(v / (1 - std::pow(0.999, 3)))});
}

TEST_CASE("AdamW decays the weight, not the gradient") {
  Tensor a = parameter({2}), b = parameter({-4});
  AdamW adamw({a, b}, {.lr = 0.1, .eps = 0, .weight_decay = 0.5});
  set_grad(a, {1});
  set_grad(b, {1});
  adamw.step();
  check_near(a, {1.9 - 0.1});
  check_near(b, {-3.8 - 0.1});
  Tensor c = parameter({2}), d = parameter({-4});
  Adam adam({c, d}, {.lr = 0.1, .eps = 0, .weight_decay = 0.5});
  set_grad(c, {1});
  set_grad(d, {1});
  adam.step();
  check_near(c, {1.9});
  check_near(d, {-3.9});
}

TEST_CASE("groups have options of their own") {
  Tensor a = parameter({0}), b = parameter({0});
  SGD sgd({a}, {.lr = 1});
  sgd.add_parameter_group({b}, {.lr = 10});
  set_grad(a, {1});
  set_grad(b, {1});
  sgd.step();
  check_near(a, {-1});
  check_near(b, {-10});
  sgd.set_option(1, "lr", 2);
  CHECK(sgd.lr(0) == 1);
  CHECK(sgd.lr(1) == 2);
  sgd.step();
  check_near(b, {-12});
}

TEST_CASE("a step keeps float32, and is a change that backward notices") {
  Tensor w = ones({3}).set_requires_grad();
  Adam adam({w}, {.lr = 0.5});
  const Tensor y = sum(w * w);
  w.set_grad(ones({3}));
  adam.step();
  CHECK(w.to_vector<float>()[0] == Approx(0.5f));
  CHECK(w.requires_grad());
  CHECK_THROWS_AS(y.backward(), Error);
}

TEST_CASE("an optimizer resumes from its saved state to the bit") {
  const TemporaryDirectory directory;
  const auto path = directory.path("optimizer.safetensors");
  const auto train = [](Optimizer& optimizer, std::vector<Tensor> parameters, int first, int last) {
    for (int t = first; t < last; ++t) {
      for (Tensor& p : parameters) {
        const auto now = values(p);
        set_grad(p, {std::sin(now[0] + t), now[1] - 1});
      }
      optimizer.step();
    }
  };
  const auto check = [&](auto make) {
    std::vector<Tensor> whole{parameter({1, 2}), parameter({3, 4})}, parts{parameter({1, 2}), parameter({3, 4})};
    auto optimizer = make(whole, 0.1);
    train(*optimizer, whole, 0, 6);
    auto before = make(parts, 0.1);
    train(*before, parts, 0, 3);
    save_safetensors(path, {.tensors = before->state_dict(), .metadata = {}});
    auto after = make(parts, 0.7);
    after->load_state_dict(load_safetensors(path).tensors);
    CHECK(after->lr() == 0.1);
    train(*after, parts, 3, 6);
    CHECK(values(parts[0]) == values(whole[0]));
    CHECK(values(parts[1]) == values(whole[1]));
  };
  check([](const std::vector<Tensor>& p, double lr) {
    return std::make_unique<SGD>(p, SGDOptions{.lr = lr, .momentum = 0.9});
  });
  check([](const std::vector<Tensor>& p, double lr) { return std::make_unique<Adam>(p, AdamOptions{.lr = lr}); });
  check([](const std::vector<Tensor>& p, double lr) { return std::make_unique<AdamW>(p, AdamWOptions{.lr = lr}); });
}

TEST_CASE("state that does not fit is refused and changes nothing") {
  Tensor a = parameter({1, 2});
  Adam adam({a}, {.lr = 0.1});
  set_grad(a, {1, 1});
  adam.step();
  const NamedTensors good = adam.state_dict();
  NamedTensors bad = good;
  bad.pop_back();
  bad.emplace_back("state.0.exp_avg_sq", zeros({3}, {.dtype = DType::float64}));
  CHECK_THROWS_WITH(adam.load_state_dict(bad),
                    Equals("Adam: load_state_dict: 'state.0.exp_avg_sq' is float64 [3], expected float64 [2]"));
  bad = good;
  bad.erase(bad.begin() + 1);
  CHECK_THROWS_WITH(adam.load_state_dict(bad), Equals("Adam: load_state_dict: 'group.0.beta1' is missing"));
  for (const char* name :
       {"state.0.rubbish", "state.1.exp_avg", "state.x.exp_avg", "group.0.momentum", "lr", "state.-1.exp_avg"}) {
    bad = good;
    bad.emplace_back(name, zeros({2}, {.dtype = DType::float64}));
    CHECK_THROWS_WITH(adam.load_state_dict(bad),
                      Equals("Adam: load_state_dict: '" + std::string(name) + "' is not part of this optimizer"));
  }
  CHECK(adam.state_dict().size() == good.size());
}

TEST_CASE("state of another kind of optimizer is refused") {
  const Tensor a = parameter({1, 2});
  const NamedTensors adam = Adam({a}).state_dict();
  CHECK_THROWS_WITH(AdamW({a}).load_state_dict(adam), Equals("AdamW: load_state_dict: 'kind' is Adam, expected AdamW"));
  CHECK_THROWS_WITH(SGD({a}).load_state_dict(adam), Equals("SGD: load_state_dict: 'kind' is Adam, expected SGD"));
  CHECK_THROWS_WITH(Adam({a}).load_state_dict(NamedTensors(adam.begin() + 1, adam.end())),
                    Equals("Adam: load_state_dict: 'kind' is missing"));
}

TEST_CASE("half a state is refused and changes nothing") {
  const Tensor a = parameter({1, 2});
  Adam adam({a}, {.lr = 0.1});
  set_grad(a, {1, 1});
  adam.step();
  const NamedTensors good = adam.state_dict();
  // What `good` becomes without an entry, or with another value in its place.
  const auto changed = [&](const std::string& name, const Tensor& value) {
    NamedTensors result;
    for (const auto& [key, tensor] : good) {
      if (key != name) result.emplace_back(key, tensor);
    }
    if (value.defined()) result.emplace_back(name, value);
    return result;
  };
  for (const std::string name : {"state.0.step", "state.0.exp_avg", "state.0.exp_avg_sq"}) {
    CHECK_THROWS_WITH(adam.load_state_dict(changed(name, {})),
                      Equals("Adam: load_state_dict: '" + name + "' is missing"));
  }
  for (const std::int64_t step : {0, -5}) {
    CHECK_THROWS_WITH(
        adam.load_state_dict(changed("state.0.step", from_vector(std::vector{step}, Shape{}))),
        Equals("Adam: load_state_dict: 'state.0.step' is " + std::to_string(step) + ", expected at least 1"));
  }
  CHECK_THROWS_WITH(adam.load_state_dict(changed("group.0.lr", full({}, -1, {.dtype = DType::float64}))),
                    Equals("Adam: lr is -1, expected at least 0"));
  CHECK(adam.lr() == 0.1);
  CHECK(adam.state_dict().size() == good.size());
}

TEST_CASE("SGD's buffer may begin after the first step, and its state is taken back at any time") {
  const Tensor a = parameter({1, 2});
  SGD sgd({a}), other({a});
  set_grad(a, {1, 1});
  sgd.step();
  sgd.set_option(0, "momentum", 0.5);
  other.load_state_dict(sgd.state_dict());
  sgd.step();
  sgd.set_option(0, "momentum", 0);
  other.load_state_dict(sgd.state_dict());
  CHECK(other.state_dict().size() == sgd.state_dict().size());
}

TEST_CASE("optimizers say what they cannot train") {
  const Tensor a = parameter({1});
  CHECK_THROWS_WITH(SGD(std::vector<Tensor>{}), Equals("SGD: there are no parameters"));
  CHECK_THROWS_WITH(SGD({a, a}), Equals("SGD: parameter 1 of the group is there already"));
  CHECK_THROWS_WITH(Adam({Tensor()}), Equals("Adam: parameter 0 of the group is undefined"));
  CHECK_THROWS_WITH(Adam({a, a.clone()}),
                    Equals("Adam: parameter 1 of the group is the result of an operation, expected a leaf"));
  CHECK_THROWS_WITH(Adam({zeros({2}, {.dtype = DType::int64})}),
                    Equals("Adam: parameter 0 of the group is not of a floating type"));
  CHECK_THROWS_WITH(SGD({a}, {.lr = -1}), Equals("SGD: lr is -1, expected at least 0"));
  CHECK_THROWS_WITH(SGD({a}, {.nesterov = true}),
                    Equals("SGD: nesterov with momentum 0 and dampening 0, expected a momentum and no dampening"));
  CHECK_THROWS_WITH(AdamW({a}, {.betas = {0.9, 1}}), Equals("AdamW: beta2 is 1, expected at least 0 and below 1"));
  SGD sgd({a});
  CHECK_THROWS_WITH(sgd.add_parameter_group({a}), Equals("SGD: parameter 0 of the group is there already"));
  CHECK_THROWS_WITH(sgd.option(0, "beta1"), Equals("SGD: it has no option 'beta1'"));
  CHECK_THROWS_WITH(sgd.set_option(0, "lr", -1), Equals("SGD: lr is -1, expected at least 0"));
  CHECK_THROWS_WITH(sgd.set_option(0, "nesterov", 1), Contains("nesterov with momentum 0"));
  CHECK(sgd.lr() == 1e-3);
  CHECK(sgd.option(0, "nesterov") == 0);
  CHECK_THROWS_WITH(Adam({parameter({1})}).set_option(0, "beta1", 1),
                    Equals("Adam: beta1 is 1, expected at least 0 and below 1"));
  CHECK_THROWS_WITH(sgd.lr(1), Equals("SGD: group is 1, expected below 1"));
}
