// Sequential: order, names, clones.
#include "deft/layers/sequential.h"

#include "deft/core/autograd.h"
#include "deft/layers/module.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

// Multiplies by ten and adds its digit, so that the order of calls can be read off the result.
struct Digit : Module {
  explicit Digit(double digit) { value = add_parameter("value", full({1}, digit)); }
  Tensor forward(const Tensor& x) override { return full({1}, 10 * x.item() + value->item()); }
  Parameter value;
};

}  // namespace

TEST_CASE("a sequence calls its modules in order and names them by position") {
  Sequential net(Digit(1), Digit(2));
  net.append("last", Digit(3));
  CHECK(net(zeros({1})).item() == 123);
  const NamedTensors parameters = net.named_parameters();
  REQUIRE(parameters.size() == 3);
  CHECK(parameters[0].first == "0.value");
  CHECK(parameters[2].first == "last.value");
  CHECK(net.size() == 3);
  CHECK(net[1].parameters()[0].item() == 2);
  CHECK_THROWS_WITH(net.append("last", Digit(4)), Contains("'last' is taken"));
}

TEST_CASE("a cloned sequence runs its own modules") {
  Sequential net(Digit(1), Sequential(Digit(2), Digit(3)));
  Sequential copy = clone(net);
  for (auto& [name, tensor] : net.state_dict()) Tensor(tensor).fill_(9);
  CHECK(net(zeros({1})).item() == 999);
  CHECK(copy(zeros({1})).item() == 123);
}

TEST_CASE("an evaluation scope restores every module's own mode") {
  Sequential net(Digit(1), Digit(2));
  net[1].eval();
  {
    const EvalScope scope(net);
    CHECK_FALSE(net[0].is_training());
    CHECK_FALSE(net.is_training());
  }
  CHECK(net.is_training());
  CHECK(net[0].is_training());
  CHECK_FALSE(net[1].is_training());
}
