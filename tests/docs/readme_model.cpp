// The model of README.md, letter for letter.
#include <iostream>

#include "deft/deft.h"

struct Net : deft::Module {
  deft::Conv2d conv1 = add("conv1", deft::Conv2d(1, 16, {.kernel_size = 3, .padding = 1}));
  deft::DeformConv2d conv2 =
      add("conv2", deft::DeformConv2d(16, 32, {.kernel_size = 3, .padding = 1, .modulated = true}));
  deft::Linear fc = add("fc", deft::Linear(32, 10));

  deft::Tensor forward(const deft::Tensor& x) override {
    auto h = max_pool2d(relu(conv1(x)), {.kernel_size = 2});
    h = max_pool2d(relu(conv2(h)), {.kernel_size = 2});
    return fc(global_avg_pool2d(h));
  }
};

int main() {
  const auto [train, test] = deft::load_data("mnist");  // or deft::synthetic_digits(60000, deft::Part::train)
  Net net;
  deft::Adam optimizer(net.parameters(), {.lr = 1e-3});
  const deft::DataLoader batches(train, {.batch_size = 64, .shuffle = true});
  for (const deft::Batch& batch : batches.epoch(1)) {
    const deft::Tensor loss = cross_entropy(net(batch.images), batch.labels);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
  const deft::NoGrad no_grad;
  double correct = 0;
  for (const deft::Batch& batch : deft::DataLoader(test, {.batch_size = 500}).epoch(0)) {
    correct += sum(eq(argmax(net(batch.images), {1}), batch.labels)).item();
  }
  std::cout << correct / static_cast<double>(test.size()) << "\n";
}
