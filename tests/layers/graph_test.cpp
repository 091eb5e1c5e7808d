// Drawings of models in Graphviz's language.
#include "deft/layers/graph.h"

#include "deft/layers/activation.h"
#include "deft/layers/conv2d.h"
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
  CHECK(dot ==
        "digraph model {\n"
        "  rankdir=TB;\n"
        "  node [fontname=\"sans-serif\", fontsize=11];\n"
        "  edge [fontname=\"sans-serif\", fontsize=9];\n"
        "  tensor0 [shape=box, label=\"input\"];\n"
        "  subgraph \"cluster_body\" {\n"
        "    label=\"body\";\n"
        "    op1 [label=\"relu\"];\n"
        "    op3 [label=\"relu\"];\n"
        "    subgraph \"cluster_body.fc\" {\n"
        "      label=\"body.fc\";\n"
        "      op0 [label=\"linear\"];\n"
        "      tensor1 [shape=box, label=\"body.fc.weight\"];\n"
        "      tensor2 [shape=box, label=\"body.fc.bias\"];\n"
        "      op2 [label=\"linear\"];\n"
        "    }\n"
        "  }\n"
        "  tensor0 -> op0 [label=\"[2, 3]\"];\n"
        "  tensor1 -> op0 [label=\"[3, 3]\"];\n"
        "  tensor2 -> op0 [label=\"[3]\"];\n"
        "  op0 -> op1 [label=\"[2, 3]\"];\n"
        "  op1 -> op2 [label=\"[2, 3]\"];\n"
        "  tensor1 -> op2 [label=\"[3, 3]\"];\n"
        "  tensor2 -> op2 [label=\"[3]\"];\n"
        "  op2 -> op3 [label=\"[2, 3]\"];\n"
        "}\n");
}
