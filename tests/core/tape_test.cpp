// The tape itself, on a minimal operation of its own.
#include <cmath>

#include "deft/core/autograd.h"
#include "deft/core/gradcheck.h"
#include "deft/core/tensor.h"
#include "deft/core/trace.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

// Elementwise product, written out, so that these tests stand on the tape alone.
Tensor product(const Tensor& a, const Tensor& b) {
  const auto multiply = [](const Tensor& x, const Tensor& y) {
    std::vector<double> z = x.to_vector<double>();
    const std::vector<double> factors = y.to_vector<double>();
    for (std::size_t i = 0; i < z.size(); ++i) z[i] *= factors[i];
    return from_vector(z, x.shape());
  };
  Tensor result = multiply(a, b);
  record("product", {a, b}, {{"order", std::int64_t{2}}}, {result},
         {.saved = {a, b}, .apply = [multiply](const BackwardContext& context) -> std::vector<Tensor> {
            return {context.needs(0) ? multiply(context.grad(), context.saved(1)) : Tensor(),
                    context.needs(1) ? multiply(context.grad(), context.saved(0)) : Tensor()};
          }});
  return result;
}

Tensor leaf(std::vector<double> values) { return from_vector(values).set_requires_grad(); }

std::vector<double> grad_of(const Tensor& tensor) { return tensor.grad().to_vector<double>(); }

}  // namespace

TEST_CASE("gradients reach every leaf and add up over uses and passes") {
  const Tensor x = leaf({2}), y = leaf({5});
  product(product(x, x), y).backward();  // x²y
  CHECK(grad_of(x)[0] == 20);
  CHECK(grad_of(y)[0] == 4);
  product(x, y).backward();
  CHECK(grad_of(x)[0] == 25);
  CHECK(grad_of(y)[0] == 6);
}

TEST_CASE("a gradient given to backward is neither kept nor changed") {
  const Tensor x = leaf({1, 2}), one = from_vector<double>({1, 1});
  const Tensor gradient = from_vector<double>({3, 4});
  const Tensor y = product(x, one);
  y.backward({.gradient = gradient});
  product(x, one).backward({.gradient = gradient});
  CHECK(gradient.to_vector<double>() == std::vector<double>{3, 4});
  CHECK(grad_of(x) == std::vector<double>{6, 8});
}

TEST_CASE("a graph is freed by backward unless it is retained") {
  const Tensor x = leaf({3});
  const Tensor y = product(x, x);
  y.backward({.retain_graph = true});
  y.backward();
  CHECK(grad_of(x)[0] == 12);
  CHECK_THROWS_WITH(y.backward(), Contains("product") && Contains("retain_graph"));
}

TEST_CASE("changing a saved tensor in place is found") {
  const Tensor one = leaf({1});
  Tensor x = from_vector<double>({3});
  const Tensor y = product(one, x);
  x.fill_(4);
  CHECK_THROWS_WITH(y.backward(), Contains("product") && Contains("changed in place"));
}

TEST_CASE("a changed view is found through its base") {
  const Tensor one = leaf({1, 1});
  Tensor x = from_vector<double>({3, 4});
  const Tensor y = product(one, x);
  alias(x, {1}, 1).fill_(7);
  CHECK_THROWS_WITH(y.backward({.gradient = ones({2}, {.dtype = DType::float64})}), Contains("changed in place"));
}

TEST_CASE("tensors that require grad change in place only inside NoGrad") {
  Tensor x = leaf({3});
  CHECK_THROWS_WITH(x.fill_(1), Contains("NoGrad"));
  const NoGrad no_grad;
  x.fill_(1);
  CHECK(x.item() == 1);
}

TEST_CASE("a chain of 100,000 nodes is used and dropped without deep recursion", "[long]") {
  const Tensor one = from_vector<double>({1});
  const Tensor x = leaf({2});
  {
    Tensor y = x;
    for (int i = 0; i < 100000; ++i) y = product(y, one);
    y.backward();
    CHECK(grad_of(x)[0] == 1);
  }
  Tensor unused = x;
  for (int i = 0; i < 100000; ++i) unused = product(unused, one);
  unused = {};
  Tensor retained = x;
  for (int i = 0; i < 100000; ++i) retained = product(retained, one);
  retained.backward({.retain_graph = true});
  CHECK(grad_of(x)[0] == 2);
}

TEST_CASE("a diamond of shared subexpressions is visited once per node") {
  Tensor y = leaf({1});
  const Tensor x = y;
  for (int i = 0; i < 10; ++i) y = product(y, y);  // x^(2^10)
  y.backward();
  CHECK(grad_of(x)[0] == 1024);
}

TEST_CASE("NoGrad and detach stop gradients") {
  const Tensor x = leaf({3});
  {
    const NoGrad no_grad;
    CHECK_FALSE(product(x, x).requires_grad());
  }
  const Tensor y = product(x, x.detach());
  y.backward();
  CHECK(grad_of(x)[0] == 3);
  CHECK_THROWS_WITH(x.detach().backward(), Contains("does not require grad"));
}

TEST_CASE("hooks see and may replace the whole gradient") {
  const Tensor x = leaf({3});
  Tensor y = product(x, x);
  y.retain_grad();
  std::vector<double> seen;
  y.register_hook([&](const Tensor& grad) {
    seen.push_back(grad.item());
    return full({1}, 10, {.dtype = DType::float64});
  });
  Tensor leaf_handle = x;
  leaf_handle.register_hook([&](const Tensor& grad) {
    seen.push_back(grad.item());
    return Tensor();
  });
  product(y, y).backward();
  CHECK(seen == std::vector<double>{18, 60});
  CHECK(grad_of(y)[0] == 10);
  CHECK(grad_of(x)[0] == 60);
}

TEST_CASE("gradients of another form than their tensor are refused") {
  const Tensor x = leaf({1, 2, 3}), one = from_vector<double>({1, 1, 1});
  Tensor y = product(x, one);
  y.register_hook([](const Tensor&) { return full({}, 2, {.dtype = DType::float64}); });
  CHECK_THROWS_WITH(product(y, one).backward({.gradient = one}), Contains("hook") && Contains("[]") && Contains("[3]"));

  const Tensor short_leaf = leaf({1});
  Tensor z = x.detach().clone();
  record("careless", {x, short_leaf}, {}, {z}, {.apply = [](const BackwardContext& context) -> std::vector<Tensor> {
           return {context.grad(), context.grad()};
         }});
  CHECK_THROWS_WITH(z.backward({.gradient = one}), Contains("careless") && Contains("input 1") && Contains("[1]"));
  CHECK_FALSE(short_leaf.grad().defined());
}

TEST_CASE("a hook may run a backward of its own through shared nodes") {
  const auto times = [](const Tensor& tensor, double factor) { return product(tensor, from_vector<double>({factor})); };
  const Tensor x = leaf({1});
  const Tensor y = times(x, 2);
  Tensor q = times(y, 3);
  const Tensor r = times(y, 5), side = times(y, 7);
  q.register_hook([&](const Tensor&) {
    side.backward({.retain_graph = true});
    return Tensor();
  });
  product(q, r).backward();  // 60x² and, from the hook, 14x
  CHECK(grad_of(x)[0] == 134);
}

TEST_CASE("what backward cannot do is a clear error") {
  const Tensor x = leaf({1, 2});
  const Tensor y = product(x, x);
  CHECK_THROWS_WITH(y.backward(), Contains("[2]") && Contains("one element"));
  CHECK_THROWS_WITH(y.backward({.gradient = ones({3}, {.dtype = DType::float64})}), Contains("[3]") && Contains("[2]"));
  CHECK_THROWS_WITH(y.backward({.gradient = ones({2}), .create_graph = true}), Contains("double backward"));
  CHECK_THROWS_WITH(from_vector<std::int64_t>({1}).set_requires_grad(), Contains("int64"));
  Tensor result = y;
  CHECK_THROWS_WITH(result.set_requires_grad(false), Contains("product") && Contains("detach"));
}

TEST_CASE("anomaly detection names the operation and its module") {
  const ModuleScope outer("block"), inner("conv");
  const Tensor x = leaf({0});
  const Tensor infinity = from_vector<double>({INFINITY}), zero = from_vector<double>({0});
  const Tensor y = product(product(x, infinity), zero);
  const DetectAnomaly detect;
  CHECK_THROWS_WITH(y.backward(), Contains("product (module block.conv)") && Contains("input 0") && Contains("NaN"));
}

TEST_CASE("a trace lists operations with shapes, attributes and module, with and without gradients") {
  const Tensor x = leaf({3}), y = leaf({4});
  Trace outer;
  Tensor last;
  {
    const NoGrad no_grad;
    const ModuleScope scope("part");
    last = product(product(x, y), y);
  }
  REQUIRE(outer.ops().size() == 2);
  const TracedOp& first = outer.ops()[0];
  const TracedOp& second = outer.ops()[1];
  CHECK(first.op == "product");
  CHECK(first.module == "part");
  CHECK(first.attributes.at(0).name == "order");
  CHECK(std::get<std::int64_t>(first.attributes.at(0).value) == 2);
  CHECK(first.outputs.at(0).id == second.inputs.at(0).id);
  CHECK(first.outputs.at(0).shape == Shape{1});
  CHECK(outer.entering().size() == 2);
  {
    const Trace inner;
    product(x, y);
    CHECK(inner.ops().size() == 1);
  }
  CHECK(outer.ops().size() == 3);
}

TEST_CASE("a trace keeps what operations make when it is asked to") {
  const Tensor x = leaf({3}), y = leaf({4});
  const Trace lists, keeps({.keep_tensors = true});
  product(product(x, y), y).backward();
  const TracedOp& first = keeps.ops()[0];
  CHECK(keeps.tensor(first.inputs[0]).item() == 3);
  CHECK(keeps.tensor(first.outputs[0]).item() == 12);
  CHECK(keeps.tensor(keeps.ops()[1].outputs[0]).item() == 48);
  CHECK(keeps.tensor(first.outputs[0]).requires_grad());
  CHECK(lists.tensor(first.inputs[1]).item() == 4);
  CHECK_THROWS_WITH(lists.tensor(first.outputs[0]), Contains("float64 [1]"));
}

TEST_CASE("gradcheck passes right gradients and names the worst element of wrong ones") {
  const Tensor a = leaf({1, 2, 3}), b = leaf({4, 5, 6});
  const auto right = [](const std::vector<Tensor>& inputs) { return product(inputs[0], inputs[1]); };
  CHECK(gradcheck(right, {a, b}));
  const auto wrong = [](const std::vector<Tensor>& inputs) {
    Tensor y = product(inputs[0].detach(), inputs[1].detach());
    record("wrong", {inputs[0]}, {}, {y},
           {.apply = [](const BackwardContext& context) -> std::vector<Tensor> { return {context.grad()}; }});
    return y;
  };
  const GradcheckResult result = gradcheck(wrong, {a, b});
  CHECK_FALSE(result);
  CHECK_THAT(result.message, Contains("input ") && Contains("element"));
  CHECK_THROWS_WITH(gradcheck(right, {ones({2}).set_requires_grad(), ones({2})}), Contains("float32"));
}
