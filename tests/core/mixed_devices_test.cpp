// Tensors of two devices in one operation.
#include "deft/deft.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

TEST_CASE("operands on different devices are named with both") {
  const TensorOptions cpu{.device = Device::cpu()};
  const Tensor here = ones({2}), there = ones({2}, cpu), leaf = ones({2}, {.requires_grad = true});
  CHECK_THROWS_WITH(there + here, "add: b is on cuda:0, but a is on cpu; move with to()");
  CHECK_THROWS_WITH(where(gt(here, 0), there, there), Contains("where: a is on cpu, but condition is on cuda:0"));
  CHECK_THROWS_WITH(cat({here, there}), Contains("cat: ") && Contains("on cpu"));
  CHECK_THROWS_WITH(mse_loss(here, there), Contains("on cpu"));
  CHECK_THROWS_WITH(matmul(ones({2, 2}), ones({2, 2}, cpu)), Contains("matmul: b is on cpu, but a is on cuda:0"));
  CHECK_THROWS_WITH(index_rows(here, zeros({1}, {.dtype = DType::int64, .device = Device::cpu()})),
                    Contains("index_rows: index is on cpu, but x is on cuda:0"));
  CHECK_THROWS_WITH(cross_entropy(ones({1, 2}), zeros({1}, {.dtype = DType::int64, .device = Device::cpu()})),
                    Contains("cross_entropy: target is on cpu, but logits is on cuda:0"));
  CHECK_THROWS_WITH(leaf.clone().set_grad(there), Contains("on cpu, expected float32 [2] on cuda:0"));
  CHECK_THROWS_WITH((leaf * 2).backward({.gradient = there}),
                    "backward: gradient is float32 [2] on cpu, expected float32 [2] on cuda:0");
}

TEST_CASE("a model on another device than its input says so") {
  const Tensor images = ones({1, 4, 4, 2}, {.device = Device::cpu()});
  const auto check = [&](auto&& layer, const char* message) { CHECK_THROWS_WITH(layer(images), Contains(message)); };
  check(Conv2d(2, 2, {.kernel_size = 3}), "weight is on cuda:0, but input is on cpu; move with to()");
  check(DeformConv2d(2, 2, {.kernel_size = 3}), "weight is on cuda:0, but input is on cpu; move with to()");
  check(Linear(2, 2), "weight is on cuda:0, but x is on cpu; move with to()");
  check(BatchNorm2d(2), "running_mean is on cuda:0, but input is on cpu; move with to()");
}

TEST_CASE("a model, its gradients and its optimizer move together") {
  Linear model(2, 1);
  const std::vector<float> start = model.weight->to_vector<float>();
  Adam optimizer(model.parameters(), {.lr = 0.1});
  const auto step = [&](Device device) {
    optimizer.zero_grad();
    sum(model(ones({3, 2}, {.device = device}))).backward();
    optimizer.step();
  };
  step(Device::cuda());
  model.to(Device::cpu());
  CHECK(model.weight->grad().device().is_cpu());
  step(Device::cpu());
  model.to(Device::cuda());
  step(Device::cuda());
  CHECK(optimizer.state_dict().back().second.device().is_cuda());
  // The gradient is always 3, so that each step of Adam, with its state in order, is one learning rate.
  const std::vector<float> end = model.weight->to_vector<float>();
  for (std::size_t i = 0; i < 2; ++i) CHECK(end[i] == Approx(start[i] - 0.3).margin(1e-6));
}

TEST_CASE("state is loaded from another device") {
  Linear here(2, 1), there(2, 1);
  there.to(Device::cpu());
  here.load_state_dict(there.state_dict());
  CHECK(here.weight->device().is_cuda());
  CHECK(here.weight->to_vector<float>() == there.weight->to_vector<float>());
  there.load_state_dict(Linear(2, 1).state_dict());
  CHECK(there.weight->device().is_cpu());
}
