// A short training on real MNIST: tensors, layers, optimizer and loader together, on data that nobody made for a test.
#include "deft/deft.h"

#include "catch.h"
#include "real_mnist.h"

using namespace deft;

namespace {

struct Net : Module {
  Conv2d conv1 = add("conv1", Conv2d(1, 16, {.kernel_size = 3, .padding = 1}));
  DeformConv2d conv2 = add("conv2", DeformConv2d(16, 32, {.kernel_size = 3, .padding = 1, .modulated = true}));
  Linear fc = add("fc", Linear(32 * 7 * 7, 10));
  Tensor forward(const Tensor& x) override {
    Tensor h = max_pool2d(relu(conv1(x)), {.kernel_size = 2});
    h = max_pool2d(relu(conv2(h)), {.kernel_size = 2});
    return fc(flatten(h, 1));
  }
};

Transform normalised() { return {.mean = {0.1307}, .std = {0.3081}}; }

// Trains for two epochs where the net is, and returns the loss of every step.
std::vector<double> train(Net& net, const Dataset& images, std::int64_t batch_size) {
  Adam optimizer(net.parameters(), {.lr = 2e-3});
  const DataLoader batches(images, {.batch_size = batch_size,
                                    .shuffle = true,
                                    .seed = 1,
                                    .device = net.fc.weight->device(),
                                    .transform = normalised()});
  std::vector<double> losses;
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (const Batch& batch : batches.epoch(epoch)) {
      const Tensor loss = cross_entropy(net(batch.images), batch.labels);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      losses.push_back(loss.item());
    }
  }
  return losses;
}

double accuracy(Net& net, const Dataset& images) {
  const EvalScope evaluating(net);
  const NoGrad no_grad;
  const DataLoader batches(images, {.batch_size = 100, .device = net.fc.weight->device(), .transform = normalised()});
  std::int64_t correct = 0;
  for (const Batch& batch : batches.epoch(0)) {
    correct += sum(eq(argmax(net(batch.images), {1}), batch.labels)).item<std::int64_t>();
  }
  return static_cast<double>(correct) / static_cast<double>(images.size());
}

}  // namespace

TEST_CASE("two epochs over 3,000 images of MNIST recognise most others, alike for one and two threads", "[cpu]") {
  const auto found = real_mnist();
  if (!found) return;
  const TrainTest& mnist = *found;
  const int threads = num_threads();
  std::vector<std::vector<double>> losses;
  for (const int count : {1, 2}) {
    set_num_threads(count);
    manual_seed(1);
    Net net;
    net.to(Device::cpu());
    losses.push_back(train(net, first_samples(mnist.train, 3000), 50));
    CHECK(accuracy(net, first_samples(mnist.test, 1000)) > 0.85);
  }
  set_num_threads(threads);
  CHECK(losses[0] == losses[1]);
}

TEST_CASE("two epochs over 400 images of MNIST recognise most others on the device under test", "[long]") {
  const auto found = real_mnist();
  if (!found) return;
  manual_seed(1);
  Net net;
  train(net, first_samples(found->train, 400), 10);
  CHECK(accuracy(net, first_samples(found->test, 200)) > 0.8);
}
