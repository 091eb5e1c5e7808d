// The matrix kernels of both devices on the same numbers: in full float32 to 1e-4, in TF32 to 2e-3 of the largest result.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "deft/kernels/cuda/deform_algorithm.h"
#include "deft/kernels/matmul.h"
#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/precision.h"

#include "catch.h"
#include "kernels/conv_problem.h"

using namespace deft;
using kernels::Conv2dShape;
using kernels::DeformAlgorithm;
using kernels::DeformConv2dShape;

namespace {

/// Whether the device to compare is the test device; else says so, and ctest shows the test as skipped.
bool on_cuda() {
  if (testing::test_device().is_cpu()) testing::skip("this test compares the CPU with DEFT_TEST_DEVICE=cuda");
  return testing::test_device().is_cuda();
}

/// Calls body(tolerance) in both precisions.
template <class Body>
void for_precisions(Body&& body) {
  const MatmulPrecision before = matmul_precision();
  for (const auto& [precision, tolerance] :
       {std::pair{MatmulPrecision::highest, 1e-4}, {MatmulPrecision::tf32, 2e-3}}) {
    INFO(std::string(precision == MatmulPrecision::tf32 ? "tf32" : "highest"));
    set_matmul_precision(precision);
    body(tolerance);
  }
  set_matmul_precision(before);
}

double difference(const std::vector<float>& cuda, const std::vector<float>& cpu) {
  return relative_error(cuda, std::vector<double>(cpu.begin(), cpu.end()));
}

void compare(const Conv2dProblem& p) {
  const Conv2dResults<float> cpu = run<float>(p, true, Device::cpu());
  for_precisions([&](double tolerance) {
    const Conv2dResults<float> cuda = run<float>(p);
    CHECK(difference(cuda.output, cpu.output) < tolerance);
    CHECK(difference(cuda.grad_input, cpu.grad_input) < tolerance);
    CHECK(difference(cuda.grad_weight, cpu.grad_weight) < tolerance);
    CHECK(difference(cuda.grad_bias, cpu.grad_bias) < tolerance);
  });
}

void compare(const DeformProblem& p) {
  const DeformResults<float> cpu = run<float>(p, 31, Device::cpu());
  for_precisions([&](double tolerance) {
    const DeformResults<float> cuda = run<float>(p);
    CHECK(difference(cuda.output, cpu.output) < tolerance);
    CHECK(difference(cuda.grad_input, cpu.grad_input) < tolerance);
    CHECK(difference(cuda.grad_offset, cpu.grad_offset) < tolerance);
    CHECK(difference(cuda.grad_mask, cpu.grad_mask) < tolerance);
    CHECK(difference(cuda.grad_weight, cpu.grad_weight) < tolerance);
    CHECK(difference(cuda.grad_bias, cpu.grad_bias) < tolerance);
  });
}

/// Random sizes and options.
class Shapes {
 public:
  explicit Shapes(std::uint64_t seed) : sequence_(seed, 0) {}

  /// A whole number of [low, high].
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(sequence_.uniform() * static_cast<double>(high - low + 1));
  }

  Conv2dShape conv2d() {
    Conv2dShape s;
    s.n = pick(0, 3), s.h = pick(1, 9), s.w = pick(1, 9);
    s.groups = pick(1, 3), s.c = s.groups * pick(1, 9), s.o = s.groups * pick(1, 9);
    s.kernel_h = pick(1, 3), s.kernel_w = pick(1, 4), s.stride_h = pick(1, 3), s.stride_w = pick(1, 3);
    s.dilation_h = pick(1, 2), s.dilation_w = pick(1, 3);
    s.pad_top = pick(0, 3), s.pad_bottom = pick(0, 3), s.pad_left = pick(0, 3), s.pad_right = pick(0, 3);
    // Images at least as large as the kernel.
    s.h += std::max<std::int64_t>(0, s.dilation_h * (s.kernel_h - 1) + 1 - s.h - s.pad_top - s.pad_bottom);
    s.w += std::max<std::int64_t>(0, s.dilation_w * (s.kernel_w - 1) + 1 - s.w - s.pad_left - s.pad_right);
    return s;
  }

  DeformConv2dShape deform_conv2d() {
    DeformConv2dShape s;
    static_cast<Conv2dShape&>(s) = conv2d();
    s.offset_groups = pick(1, 4);
    s.c *= s.offset_groups;
    return s;
  }

 private:
  PhiloxSequence sequence_;
};

std::string describe(const DeformConv2dShape& s) {
  std::string text;
  for (const std::int64_t value :
       {s.n, s.h, s.w, s.c, s.o, s.kernel_h, s.kernel_w, s.stride_h, s.stride_w, s.pad_top, s.pad_bottom, s.pad_left,
        s.pad_right, s.dilation_h, s.dilation_w, s.groups, s.offset_groups}) {
    text += std::to_string(value) + " ";
  }
  return text;
}

constexpr int random_shapes = 60;

/// Shapes with panels of one image each, and with panels that begin and end within the rows of an image.
std::vector<NamedShape> shapes_of_several_panels() {
  Conv2dShape parts = padded_3x3(1, 131, 119, 64, 6, 2);
  parts.dilation_h = 2, parts.pad_top = 3, parts.stride_w = 1;
  return {{"a panel per image", padded_3x3(2, 70, 70, 100, 2)}, {"two panels per image", parts}};
}

}  // namespace

TEST_CASE("conv2d on CUDA agrees with the CPU") {
  if (!on_cuda()) return;
  for (const NamedShape& named : conv_shapes()) {
    INFO(named.name);
    compare(Conv2dProblem(named.shape));
  }
  for (const NamedShape& named : shapes_of_several_panels()) {
    INFO(named.name);
    compare(Conv2dProblem(named.shape));
  }
  Shapes shapes(1);
  for (int i = 0; i < random_shapes; ++i) {
    DeformConv2dShape s;
    static_cast<Conv2dShape&>(s) = shapes.conv2d();
    INFO(describe(s));
    compare(Conv2dProblem(s));
  }
}

TEST_CASE("deform_conv2d on CUDA agrees with the CPU") {
  if (!on_cuda()) return;
  for (const NamedShape& named : conv_shapes()) {
    INFO(named.name);
    DeformConv2dShape s;
    static_cast<Conv2dShape&>(s) = named.shape;
    compare(DeformProblem(s, true));
  }
  for (const NamedShape& named : shapes_of_several_panels()) {
    INFO(named.name);
    DeformConv2dShape s;
    static_cast<Conv2dShape&>(s) = named.shape;
    s.offset_groups = s.c / 4;  // a thread for each entry: the emulator's shuffles are slow
    compare(DeformProblem(s, true));
  }
  Shapes shapes(2);
  for (int i = 0; i < random_shapes; ++i) {
    const DeformConv2dShape s = shapes.deform_conv2d();
    INFO(describe(s));
    for (const DeformAlgorithm algorithm : {DeformAlgorithm::panel, DeformAlgorithm::fused}) {
      set_deform_algorithm(algorithm);
      compare(DeformProblem(s, i % 3 != 0));
    }
  }
  set_deform_algorithm(DeformAlgorithm::automatic);
}

TEST_CASE("matmul on CUDA agrees with the CPU") {
  if (!on_cuda()) return;
  Shapes shapes(3);
  for (int i = 0; i < random_shapes; ++i) {
    kernels::MatmulShape s;
    s.m = shapes.pick(0, 70), s.n = shapes.pick(1, 70), s.k = shapes.pick(0, 70);
    s.transpose_a = i % 2 == 1, s.transpose_b = i / 2 % 2 == 1;
    const std::int64_t batch = shapes.pick(1, 4);
    s.batch.add_axis(batch, {1, i % 3 == 0 ? 0 : 1});
    INFO(batch << " products of m " << s.m << ", n " << s.n << ", k " << s.k);
    const auto values = [](std::int64_t n, std::uint64_t seed) { return cast<float>(random_values(n, seed)); };
    const auto a = values(batch * s.m * s.k, 1), b = values(batch * s.k * s.n, 2), bias = values(s.n, 3);
    const auto product = [&](Device on) {
      const testing::Buffer<float> left(a, on), right(b, on), added(bias, on);
      testing::Buffer<float> output(std::vector<float>(static_cast<std::size_t>(batch * s.m * s.n), 7.0f), on);
      on_place(on, [&](auto place) {
        kernels::matmul<float>(place, s, left.data(), right.data(), i % 5 == 0 ? nullptr : added.data(), output.data());
      });
      return output.values();
    };
    const std::vector<float> cpu = product(Device::cpu());
    for_precisions([&](double tolerance) { CHECK(difference(product(testing::test_device()), cpu) < tolerance); });
  }
}

TEST_CASE("matmul on CUDA says which sizes cuBLAS does not take") {
  if (!on_cuda()) return;
  kernels::MatmulShape s;
  s.m = std::int64_t{1} << 31, s.n = s.k = 1;
  const float* const none = nullptr;
  CHECK_THROWS_AS(kernels::matmul<float>(kernels::Cuda{}, s, none, none, none, nullptr), Error);
}
