// A whole model, as programs write them: eval(), loading, copies and clones reach every member.
#include "deft/core/autograd.h"
#include "deft/core/elementwise.h"
#include "deft/core/random.h"
#include "deft/core/reduce.h"
#include "deft/layers/activation.h"
#include "deft/layers/adaptive_avg_pool2d.h"
#include "deft/layers/batch_norm2d.h"
#include "deft/layers/conv2d.h"
#include "deft/layers/deform_conv2d.h"
#include "deft/layers/dropout.h"
#include "deft/layers/linear.h"
#include "deft/layers/loss.h"
#include "deft/layers/max_pool2d.h"
#include "deft/layers/sequential.h"
#include "deft/layers/summary.h"

#include "catch.h"

using Catch::Matchers::Contains;

namespace {

struct Net : deft::Module {
  deft::Conv2d conv1 = add("conv1", deft::Conv2d(1, 32, {.kernel_size = 3, .padding = 1}));
  deft::DeformConv2d conv2 =
      add("conv2", deft::DeformConv2d(32, 32, {.kernel_size = 3, .padding = 1, .modulated = true}));
  deft::Linear fc = add("fc", deft::Linear(32, 10));
  deft::Tensor forward(const deft::Tensor& x) override {
    auto h = max_pool2d(relu(conv1(x)), {.kernel_size = 2});
    h = relu(conv2(h));
    return fc(global_avg_pool2d(h));
  }
};

deft::Tensor images() {
  deft::Generator generator(5);
  return deft::randn({2, 8, 8, 1}, {}, generator);
}

std::vector<float> output(Net& net) {
  const deft::NoGrad no_grad;
  return net(images()).to_vector<float>();
}

void set_all(deft::Module& module, double value) {
  for (auto& [name, tensor] : module.state_dict()) deft::Tensor(tensor).fill_(value);
}

}  // namespace

TEST_CASE("loading a model changes what every copy of it computes") {
  Net net, other;
  Net copy = net;
  REQUIRE(output(net) != output(other));
  net.load_state_dict(other.state_dict());
  CHECK(output(net) == output(other));
  CHECK(output(copy) == output(other));
}

TEST_CASE("modes reach every member of a model and of its copies") {
  Net net;
  Net copy = net;
  net.eval();
  CHECK_FALSE(copy.conv1.is_training());
  CHECK_FALSE(copy.conv2.is_training());
  CHECK_FALSE(net.conv2.offset_conv.is_training());
  REQUIRE(net.conv2.mask_conv.has_value());
  CHECK_FALSE(net.conv2.mask_conv->is_training());
  copy.train();
  CHECK(net.conv2.offset_conv.is_training());
  net.freeze();
  CHECK_FALSE(copy.conv2.mask_conv->weight->requires_grad());
}

TEST_CASE("a cloned model computes the same with parameters of its own") {
  Net net;
  Net twin = clone(net);
  CHECK(output(twin) == output(net));
  set_all(net, 0);
  CHECK(output(net) == std::vector<float>(20, 0));
  CHECK(output(twin) != output(net));
  set_all(twin.conv2, 0);
  set_all(twin.fc, 0);
  CHECK(output(twin) == std::vector<float>(20, 0));
}

TEST_CASE("all parameters of a model get gradients") {
  Net net;
  const deft::Tensor loss = cross_entropy(net(images()), deft::from_vector<std::int64_t>({3, 7}));
  loss.backward();
  for (const auto& [name, parameter] : net.named_parameters()) {
    INFO(name);
    REQUIRE(parameter.grad().defined());
    CHECK(max(abs(parameter.grad())).item() > 0);
  }
  net.zero_grad();
  CHECK_FALSE(net.fc.weight->grad().defined());
}

TEST_CASE("a sequence of layers behaves as one module") {
  deft::Sequential net(deft::Conv2d(1, 4, {.kernel_size = 3}), deft::BatchNorm2d(4), deft::Dropout(), deft::ReLU());
  net.eval();
  const deft::NoGrad no_grad;
  CHECK(net(images()).to_vector<float>() == net(images()).to_vector<float>());
  net.train();
  CHECK(net(images()).to_vector<float>() != net(images()).to_vector<float>());
}

TEST_CASE("a summary lists operations with shapes, parameters and multiply-adds, and changes no statistics") {
  Net net;
  const deft::ModelSummary summary = summarize(net, images());
  // conv2: 18 + 9 offset and mask channels in one and 32 outputs, each over 3×3 taps of 32 channels on 4×4 pixels of 2 images.
  const auto find = [&](const std::string& module, const std::string& op) {
    for (const deft::SummaryRow& row : summary.rows) {
      if (row.module == module && row.op == op) return row;
    }
    FAIL("no " << op << " in " << module);
    return deft::SummaryRow();
  };
  CHECK(find("conv1", "conv2d").multiply_adds == 2 * 8 * 8 * 32 * 9);
  CHECK(find("conv1", "conv2d").parameters == 32 * 9 + 32);
  CHECK(find("conv2", "conv2d").multiply_adds == 2 * 4 * 4 * 27 * 9 * 32);
  CHECK(find("conv2", "deform_conv2d").multiply_adds == 2 * 4 * 4 * 32 * 9 * 32);
  CHECK(find("conv2", "deform_conv2d").parameters == 32 * 9 * 32 + 32);
  CHECK(find("fc", "linear").multiply_adds == 2 * 32 * 10);
  CHECK(find("fc", "linear").output == deft::Shape{2, 10});
  CHECK(summary.parameters == net.num_parameters());
  CHECK(summary.parameters == 320 + (32 * 9 * 32 + 32) + 27 * 9 * 32 + 27 + 330);
  CHECK_THAT(to_string(summary), Contains("deform_positions") && Contains("multiply-adds"));

  deft::Sequential normalised(deft::BatchNorm2d(1));
  const std::vector<float> before = normalised.named_buffers()[0].second.to_vector<float>();
  summarize(normalised, images() + 5);
  CHECK(normalised.named_buffers()[0].second.to_vector<float>() == before);
}
