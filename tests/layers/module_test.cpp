// Modules as handles: registration, paths, loading, modes, clones.
#include "deft/layers/module.h"

#include <optional>
#include <type_traits>

#include "deft/core/autograd.h"
#include "deft/core/trace.h"
#include "deft/layers/init.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

struct Leaf : Module {
  explicit Leaf(double value) {
    weight = add_parameter("weight", full({2}, value));
    absent = add_parameter("bias", {});
    steps = add_buffer("steps", zeros({1}, {.dtype = DType::int64}));
  }
  Tensor forward(const Tensor& x) override {
    Tensor y = x.clone();
    return y;
  }
  Parameter weight, absent, steps;
};

struct Branch : Module {
  Leaf first = add("first", Leaf(1));
  Leaf second = add("second", Leaf(2));
  Tensor forward(const Tensor& x) override { return second(first(x)); }
};

struct Root : Module {
  Branch branch = add("branch", Branch());
  Leaf last = add("last", Leaf(3));
  Tensor forward(const Tensor& x) override { return last(branch(x)); }
};

std::vector<std::string> names(const NamedTensors& list) {
  std::vector<std::string> result;
  for (const auto& [name, tensor] : list) result.push_back(name);
  return result;
}

float first_value(const Tensor& tensor) { return tensor.to_vector<float>()[0]; }

}  // namespace

TEST_CASE("parameters and buffers are listed by path, absent ones left out") {
  const Root root;
  CHECK(names(root.named_parameters()) ==
        std::vector<std::string>{"branch.first.weight", "branch.second.weight", "last.weight"});
  CHECK(names(root.named_buffers()) ==
        std::vector<std::string>{"branch.first.steps", "branch.second.steps", "last.steps"});
  CHECK(root.num_parameters() == 6);
  CHECK(root.state_dict().size() == 6);
  CHECK_FALSE(root.last.absent.defined());
}

TEST_CASE("members, registry and copies are one object") {
  Root root;
  Root copy = root;
  const NoGrad no_grad;
  root.branch.second.weight.get().detach().fill_(8);
  CHECK(first_value(copy.branch.second.weight) == 8);
  CHECK(first_value(root.named_parameters()[1].second) == 8);
  copy.eval();
  CHECK_FALSE(root.branch.first.is_training());
  copy.train();
  CHECK(root.last.is_training());
}

TEST_CASE("a clone shares nothing, and its members are its own") {
  Root root;
  root.branch.first.freeze();
  Root other = clone(root);
  root.branch.second.weight.get().detach().fill_(8);
  root.eval();
  CHECK(first_value(other.branch.second.weight) == 2);
  CHECK(other.branch.second.is_training());
  CHECK(other.branch.first.is_frozen());
  CHECK_FALSE(other.branch.first.weight->requires_grad());
  other.branch.second.weight.get().detach().fill_(5);
  CHECK(first_value(other.named_parameters()[1].second) == 5);
  CHECK(first_value(root.branch.second.weight) == 8);
}

TEST_CASE("loading reaches every member and changes nothing when it fails") {
  Root root;
  NamedTensors state = clone(root).state_dict();
  for (auto& [name, tensor] : state) tensor.fill_(6);
  root.load_state_dict(state);
  CHECK(first_value(root.branch.first.weight) == 6);
  CHECK(root.last.steps->item() == 6);

  for (auto& [name, tensor] : state) tensor.fill_(7);
  NamedTensors missing(state.begin(), state.end() - 1);
  CHECK_THROWS_WITH(root.load_state_dict(missing), Contains("'last.steps' is missing"));
  NamedTensors extra = state;
  extra.emplace_back("nose", zeros({1}));
  CHECK_THROWS_WITH(root.load_state_dict(extra), Contains("'nose'"));
  NamedTensors reshaped = state;
  reshaped[2].second = zeros({5});
  CHECK_THROWS_WITH(root.load_state_dict(reshaped), Contains("'last.weight'") && Contains("[5]") && Contains("[2]"));
  CHECK(first_value(root.branch.first.weight) == 6);
  root.load_state_dict(missing, false);
  CHECK(first_value(root.branch.first.weight) == 7);
}

TEST_CASE("conversion keeps the tensors that an optimizer holds") {
  Root root;
  const std::vector<Tensor> held = root.parameters();
  root.to(DType::float64);
  CHECK(held[0].dtype() == DType::float64);
  CHECK(root.branch.first.weight->to_vector<double>() == std::vector<double>{1, 1});
  CHECK(root.last.steps->dtype() == DType::int64);
  CHECK_THROWS_WITH(root.to(DType::uint8), Contains("uint8"));
}

TEST_CASE("train and eval leave requires_grad alone, freeze does not") {
  Root root;
  root.eval();
  CHECK(root.last.weight->requires_grad());
  root.freeze();
  CHECK_FALSE(root.last.weight->requires_grad());
  root.freeze(false);
  CHECK(root.last.weight->requires_grad());
}

TEST_CASE("operations are traced under the path of their module") {
  Root root;
  Trace trace;
  root(ones({1}));
  REQUIRE(trace.ops().size() == 3);
  CHECK(trace.ops()[0].module == "branch.first");
  CHECK(trace.ops()[1].module == "branch.second");
  CHECK(trace.ops()[2].module == "last");
}

TEST_CASE("a shared module and a tied tensor count once under all their names, and stay tied in clones") {
  struct Tied : Module {
    Leaf first = add("first", Leaf(1));
    Leaf again = add("again", first);
    Parameter tied = add_parameter("tied", first.weight);
  };
  const Tied net;
  CHECK(names(net.named_parameters()) == std::vector<std::string>{"tied", "first.weight", "again.weight"});
  CHECK(net.parameters().size() == 1);
  CHECK(net.num_parameters() == 2);
  const Tied other = clone(net);
  CHECK(other.parameters().size() == 1);
  CHECK(other.tied->impl() == other.first.weight->impl());
  CHECK(other.again.weight->impl() == other.first.weight->impl());
  CHECK(other.tied->impl() != net.tied->impl());
}

TEST_CASE("modules are not assigned, but stand in containers") {
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<Leaf>);
  STATIC_REQUIRE_FALSE(std::is_move_assignable_v<Branch>);
  std::vector<Leaf> list;
  for (int i = 0; i < 3; ++i) list.push_back(Leaf(i));
  CHECK(first_value(list[2].weight) == 2);
  std::optional<Leaf> maybe;
  maybe.emplace(list[1]);
  CHECK(maybe->weight->impl() == list[1].weight->impl());
}

TEST_CASE("a replaced child is what runs, trains and is saved") {
  Root root;
  root.replace("last", root.last, Leaf(9));
  CHECK(root.last.name() == "last");
  CHECK(first_value(root.last.weight) == 9);
  CHECK(root.parameters().back().impl() == root.last.weight->impl());
  CHECK(root.state_dict().size() == 6);
  CHECK(first_value(root.state_dict()[2].second) == 9);
  Trace trace;
  root(ones({1}));
  CHECK(trace.ops().back().module == "last");
  root.eval();
  CHECK_FALSE(root.last.is_training());

  CHECK_THROWS_WITH(root.replace("lst", root.last, Leaf(1)), Contains("no child 'lst'"));
  CHECK_THROWS_WITH(root.replace("last", root.branch.first, Leaf(1)), Contains("not the child 'last'"));
  CHECK(first_value(root.branch.first.weight) == 1);
}

TEST_CASE("bad names and missing functions are errors") {
  struct Twice : Module {
    Twice() {
      add("part", Leaf(1));
      add("part", Leaf(1));
    }
  };
  struct Dotted : Module {
    Dotted() { add_parameter("a.b", ones({1})); }
  };
  struct Silent : Module {};
  CHECK_THROWS_WITH(Twice(), Contains("'part' is taken"));
  CHECK_THROWS_WITH(Dotted(), Contains("'a.b'"));
  Silent silent;
  CHECK_THROWS_WITH(silent(ones({1})), Contains("forward"));
}

TEST_CASE("initialisers draw the documented distributions") {
  const auto moments = [](const Tensor& tensor) {
    double sum = 0, squares = 0, largest = 0;
    for (double value : tensor.to_vector<double>()) {
      sum += value;
      squares += value * value;
      largest = std::max(largest, std::abs(value));
    }
    const double n = static_cast<double>(tensor.numel());
    return std::vector<double>{sum / n, std::sqrt(squares / n), largest};
  };
  const Tensor weight = zeros({100, 3, 3, 50}, {.dtype = DType::float64});  // fan_in 450, fan_out 900
  Generator generator(3);
  init::default_weight_and_bias_(weight, {}, generator);
  CHECK(moments(weight)[1] == Approx(1 / std::sqrt(3.0 * 450)).epsilon(0.02));
  CHECK(moments(weight)[2] <= 1 / std::sqrt(450.0));
  init::xavier_uniform_(weight, generator);
  CHECK(moments(weight)[2] == Approx(std::sqrt(6.0 / 1350)).epsilon(0.01));
  init::lecun_normal_(weight, generator);
  CHECK(moments(weight)[1] == Approx(1 / std::sqrt(450.0)).epsilon(0.02));
  CHECK(std::abs(moments(weight)[0]) < 0.001);
  init::truncated_normal_(weight, 0, 0.1, generator);
  CHECK(moments(weight)[2] <= 0.2);
  CHECK(moments(weight)[1] == Approx(0.08796).epsilon(0.02));  // std of a normal cut at ±2σ

  const Tensor again = zeros({4}), once = zeros({4});
  Generator a(7), b(7);
  init::normal_(again, 0, 1, a);
  init::normal_(once, 0, 1, b);
  CHECK(again.to_vector<float>() == once.to_vector<float>());
}
