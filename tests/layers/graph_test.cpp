// Drawings of models in Graphviz's language.
#include "deft/layers/graph.h"

#include "deft/core/elementwise.h"
#include "deft/layers/activation.h"
#include "deft/layers/batch_norm2d.h"
#include "deft/layers/linear.h"
#include "deft/layers/sequential.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

struct Inner : Module {
  Linear fc = add("fc", Linear(3, 3));
  Tensor forward(const Tensor& x) override { return relu(fc(x)); }
};

struct Net : Module {
  Inner body = add("body", Inner());
  Tensor forward(const Tensor& x) override { return body(body(x)); }
};

}  // namespace

TEST_CASE("a drawing has a node per operation and parameter, in the boxes of their modules") {
  Net net;
  const std::string dot = graph_dot(net, zeros({2, 3}));
  CHECK(dot == R"(digraph model {
  graph [fontname="sans-serif", fontsize=12, style=rounded, color=gray50];
  node [fontname="sans-serif", fontsize=11];
  edge [fontname="sans-serif", fontsize=9];
  tensor0 [shape=box, label="input\n[2, 3]"];
  output [shape=box, label="output\n[2, 3]"];
  subgraph "cluster_body" {
    label="body";
    op1 [label="relu"];
    op3 [label="relu"];
    subgraph "cluster_body.fc" {
      label="body.fc";
      op0 [label="linear"];
      tensor1 [shape=box, label="weight\n[3, 3]"];
      tensor2 [shape=box, label="bias\n[3]"];
      op2 [label="linear"];
    }
  }
  tensor0 -> op0;
  tensor1 -> op0;
  tensor2 -> op0;
  op0 -> op1 [label="[2, 3]", weight=9];
  op1 -> op2 [label="[2, 3]", weight=9];
  tensor1 -> op2;
  tensor2 -> op2;
  op2 -> op3 [label="[2, 3]", weight=9];
  op3 -> output;
}
)");
}

TEST_CASE("a drawing leaves the model as it was and names what it knows no name of") {
  struct Doubling : Module {
    BatchNorm2d norm = add("norm", BatchNorm2d(3));
    Tensor forward(const Tensor& x) override { return norm(x) * full({3}, 2); }
  } net;
  const auto mean = [&] { return net.norm.running_mean->to_vector<float>(); };
  const std::vector<float> before = mean();
  CHECK_THAT(graph_dot(net, ones({1, 2, 2, 3})),
             Contains("label=\"running_mean\\n[3]\"") && Contains("label=\"constant\\n[3]\""));
  CHECK(mean() == before);
  CHECK(net.is_training());
}
