// The default device, and moving tensors between devices.
#include <thread>

#include "deft/core/autograd.h"
#include "deft/core/default_device.h"
#include "deft/core/elementwise.h"
#include "deft/core/random.h"
#include "deft/core/reduce.h"
#include "deft/core/shape_ops.h"

#include "catch.h"
#include "test_device.h"

using namespace deft;
using Catch::Matchers::Contains;

TEST_CASE("new tensors are made on the default device, unless another is named") {
  const Device here = testing::test_device();
  CHECK(default_device() == here);
  CHECK(zeros({2}).device() == here);
  CHECK(from_vector<float>({1, 2}).device() == here);
  CHECK(arange(0, 3).device() == here);
  CHECK(randn({2}).device() == here);
  CHECK(randint(0, 2, {2}).device() == here);
  CHECK(randperm(3).device() == here);
  CHECK(ones({2}, {.device = Device::cpu()}).device().is_cpu());
  CHECK(from_vector<float>({1, 2}, {2}, Device::cpu()).device().is_cpu());
  CHECK(zeros_like(ones({2}, {.device = Device::cpu()})).device().is_cpu());
}

TEST_CASE("the default device belongs to its thread") {
  const Device here = default_device();
  Device there = here, after = here;
  std::thread([&] {
    there = default_device();
    set_default_device(Device::cpu());
    after = zeros({1}).device();
  }).join();
  CHECK(there.is_cpu());
  CHECK(after.is_cpu());
  CHECK(default_device() == here);
  CHECK_THROWS_WITH(set_default_device(Device::cuda(99)), Contains("cuda:99: "));
  CHECK(default_device() == here);
}

TEST_CASE("random numbers are the same on every device") {
  Generator one(3), two(3);
  CHECK(rand({1000}, {}, one).to_vector<float>() == rand({1000}, {.device = Device::cpu()}, two).to_vector<float>());
  CHECK(randint(-5, 50, {1000}, default_device(), one).to_vector<std::int64_t>() ==
        randint(-5, 50, {1000}, Device::cpu(), two).to_vector<std::int64_t>());
  CHECK(randperm(1000, default_device(), one).to_vector<std::int64_t>() ==
        randperm(1000, Device::cpu(), two).to_vector<std::int64_t>());
}

TEST_CASE("tensors of every type move to a device and back") {
  for (const DType dtype : {DType::float32, DType::float64, DType::int64, DType::uint8}) {
    const Tensor host = arange(0, 5, 1, {.dtype = dtype, .device = Device::cpu()});
    const Tensor moved = slice(host, 0, 1, 5).to(default_device());
    CHECK(moved.device() == default_device());
    CHECK(to_string(moved) == "[1, 2, 3, 4] " + std::string(to_string(dtype)) + " [4]");
    CHECK(to_string(slice(moved, 0, 1, 3).to(Device::cpu())) == "[2, 3] " + std::string(to_string(dtype)) + " [2]");
  }
  CHECK(zeros({0, 3}, {.device = Device::cpu()}).to(default_device()).to_vector<float>().empty());
  const Tensor big = arange(0, 3e6, 1, {.dtype = DType::float64, .device = Device::cpu()});  // several staging buffers
  CHECK(big.to(default_device()).to_vector<double>() == big.to_vector<double>());
}

TEST_CASE("copy_ takes elements from another device") {
  Tensor here = zeros({2, 2}), there = zeros({2, 2}, {.device = Device::cpu()});
  here.copy_(from_vector<float>({1, 2, 3, 4}, {2, 2}, Device::cpu()));
  there.copy_(here);
  CHECK(there.to_vector<float>() == std::vector<float>{1, 2, 3, 4});
  here.copy_(here.clone() * 2);
  CHECK(here.to_vector<float>() == std::vector<float>{2, 4, 6, 8});
  CHECK(there.to_vector<float>() == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("gradients flow back to the device that a tensor came from, and add up there") {
  const Tensor x = from_vector<float>({1, 2, 3}, {3}, Device::cpu()).set_requires_grad();
  for (int pass = 1; pass <= 2; ++pass) {
    const Tensor y = x.to(default_device());
    sum(y * y).backward();
    CHECK(x.grad().device().is_cpu());
  }
  CHECK(x.grad().to_vector<float>() == std::vector<float>{4, 8, 12});
}
