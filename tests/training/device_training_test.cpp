// Experiment E0's training on a GPU beside the CPU's: all layers, their gradients and the optimizer, step after step.
#include "deft/apps/nets/five_conv_net.h"
#include "deft/deft.h"

#include "catch.h"

using namespace deft;

namespace {

constexpr std::int64_t batch_size = 4;

// The losses of the first steps, from the same weights and on the same images whatever the device.
std::vector<double> train(const std::string& model, DType dtype, Device device, int steps) {
  manual_seed(1);
  apps::FiveConvNet net(model);
  net.to(dtype);
  net.to(device);
  Adam optimizer(net.parameters(), {.lr = 1e-3});
  const DataLoader batches(synthetic_digits(steps * batch_size, Part::train),
                           {.batch_size = batch_size,
                            .shuffle = true,
                            .seed = 1,
                            .device = Device::cpu(),
                            .transform = apps::mnist_normalisation()});
  std::vector<Tensor> losses;
  for (const Batch& batch : batches.epoch(1)) {
    optimizer.zero_grad();
    losses.push_back(cross_entropy(net(batch.images.to(device).to(dtype)), batch.labels.to(device)));
    losses.back().backward();
    optimizer.step();
  }
  return stack(losses).to(DType::float64).to_vector<double>();
}

void check_follows(DType dtype, int steps, double tolerance) {
  for (const std::string model : {"regular", "deform-v2"}) {
    const std::vector<double> expected = train(model, dtype, Device::cpu(), steps);
    const std::vector<double> losses = train(model, dtype, Device::cuda(), steps);
    for (std::size_t i = 0; i < losses.size(); ++i) {
      INFO(model << " " << to_string(dtype) << ", step " << i);
      REQUIRE(losses[i] == Approx(expected[i]).epsilon(tolerance));
    }
    CHECK(losses.back() != losses.front());
  }
}

}  // namespace

TEST_CASE("E0's nets follow the CPU's losses for 100 steps in float64", "[long]") {
  check_follows(DType::float64, 100, 1e-8);
}

TEST_CASE("E0's nets follow the CPU's losses for 20 steps in float32") { check_follows(DType::float32, 20, 1e-4); }
