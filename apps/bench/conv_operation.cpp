#include "deft/apps/bench/conv_operation.h"

#include <fmt/format.h>

#include "deft/core/autograd.h"
#include "deft/core/random.h"
#include "deft/kernels/conv_algorithm.h"
#include "deft/layers/deform_conv2d.h"

namespace deft::bench {

std::vector<ConvOp> conv_ops(Device device) {
  if (!device.is_cpu()) return {ConvOp::conv2d, ConvOp::deform_conv2d_v1, ConvOp::deform_conv2d_v2};
  return {ConvOp::conv2d, ConvOp::conv2d_winograd, ConvOp::deform_conv2d_v1, ConvOp::deform_conv2d_v2};
}

const char* to_string(ConvOp op) {
  switch (op) {
    case ConvOp::conv2d:
      return "conv2d";
    case ConvOp::conv2d_winograd:
      return "conv2d_winograd";
    case ConvOp::deform_conv2d_v1:
      return "deform_conv2d_v1";
    case ConvOp::deform_conv2d_v2:
      return "deform_conv2d_v2";
  }
  return "";
}

const char* to_string(Pass pass) { return pass == Pass::forward ? "forward" : "forward_backward"; }

std::string to_string(const ConvCase& one) {
  return fmt::format("{} {} {}", to_string(one.op), to_string(one.pass), to_string(one.size));
}

nlohmann::ordered_json to_fields(const ConvCase& one) {
  return {{"op", to_string(one.op)}, {"pass", to_string(one.pass)}, {"n", one.size.n}, {"c", one.size.c},
          {"o", one.size.o},         {"size", one.size.size}};
}

ConvOperation::ConvOperation(const ConvCase& one) : case_(one) {
  const auto [n, c, o, size] = one.size;
  const bool backward = one.pass == Pass::forward_backward;
  const auto leaf = [&](Tensor tensor) { return leaves_.emplace_back(tensor.set_requires_grad(backward)); };
  input_ = leaf(randn({n, size, size, c}));
  weight_ = leaf(randn({o, 3, 3, c}));
  bias_ = leaf(randn({o}));
  if (deformable()) offset_ = leaf(randn({n, size, size, 18}));
  if (one.op == ConvOp::deform_conv2d_v2) mask_ = leaf(rand({n, size, size, 9}));
  if (backward) output_gradient_ = randn({n, size, size, o});
}

void ConvOperation::operator()() {
  set_conv2d_algorithm(case_.op == ConvOp::conv2d_winograd ? Conv2dAlgorithm::winograd : Conv2dAlgorithm::direct);
  if (case_.pass == Pass::forward) {
    const NoGrad no_grad;
    output();
    return;
  }
  for (Tensor& leaf : leaves_) leaf.set_grad({});
  output().backward({.gradient = output_gradient_});
}

bool ConvOperation::deformable() const {
  return case_.op == ConvOp::deform_conv2d_v1 || case_.op == ConvOp::deform_conv2d_v2;
}

Tensor ConvOperation::output() const {
  if (!deformable()) return conv2d(input_, weight_, {.bias = bias_, .padding = 1});
  return deform_conv2d(input_, offset_, weight_, {.mask = mask_, .bias = bias_, .padding = 1});
}

}  // namespace deft::bench
