// Batch normalisation as a layer: gradients, modes, freezing, and what it refuses.
#include "deft/layers/batch_norm2d.h"

#include "deft/core/gradcheck.h"

#include "catch.h"
#include "random_tensor.h"

using namespace deft;
using Catch::Matchers::Equals;

namespace {

TensorOptions float64() { return {.dtype = DType::float64}; }

std::vector<double> values(const Tensor& tensor) { return tensor.to_vector<double>(); }

}  // namespace

TEST_CASE("gradients of batch norm in training and evaluation, with and without weights") {
  const Tensor x = random_tensor({3, 2, 4, 5}, 1), weight = random_tensor({5}, 2), bias = random_tensor({5}, 3);
  const Tensor mean = random_tensor({5}, 4).detach(), var = full({5}, 0.7, float64());
  for (bool training : {true, false}) {
    const auto check = [&](bool affine, const std::vector<Tensor>& inputs) {
      const auto result = gradcheck(
          [&](const std::vector<Tensor>& in) {
            BatchNormArguments a{.training = training};
            // Fresh statistics for each call: the gradient is checked with the same ones throughout.
            a.running_mean = mean.clone();
            a.running_var = var.clone();
            if (affine) {
              a.weight = in[1];
              a.bias = in[2];
            }
            return batch_norm(in[0], a);
          },
          inputs);
      INFO(result.message);
      CHECK(result.ok);
    };
    check(true, {x, weight, bias});
    check(false, {x});
    check(true, {x.detach(), weight, bias.detach()});
  }
}

TEST_CASE("BatchNorm2d follows its mode") {
  BatchNorm2d norm(2, {.momentum = 0.5});
  norm.to(DType::float64);
  const Tensor x = from_vector(std::vector<double>{1, 10, 3, 30, 1, 10, 3, 30}, {2, 1, 2, 2});
  const Tensor y = norm(x);
  CHECK(values(y)[0] == Approx(-1 / std::sqrt(1 + 1e-5)));
  CHECK(values(norm.running_mean) == std::vector<double>{1, 10});
  CHECK(values(norm.running_var)[0] == Approx(0.5 + 0.5 * 4 / 3));
  norm.eval();
  const std::vector<double> before = values(norm.running_var);
  CHECK(values(norm(x))[0] == Approx(0).margin(1e-12));
  CHECK(values(norm(x))[2] == Approx(2 / std::sqrt(before[0] + 1e-5)));
  CHECK(values(norm.running_var) == before);
}

TEST_CASE("a frozen BatchNorm2d keeps its statistics and uses them, whatever the mode") {
  BatchNorm2d norm(3);
  norm.to(DType::float64);
  norm.freeze();
  const Tensor x = random_tensor({2, 3, 3, 3}, 1);
  const Tensor y = norm(x);
  CHECK(values(norm.running_mean) == std::vector<double>{0, 0, 0});
  CHECK(values(y)[4] == Approx(values(x)[4] / std::sqrt(1 + 1e-5)));
  norm.freeze(false);
  norm(x);
  CHECK(values(norm.running_mean)[0] != 0);
}

TEST_CASE("BatchNorm2d without affine and running statistics has no parameters and normalises by the batch") {
  BatchNorm2d norm(2, {.affine = false, .track_running_stats = false});
  CHECK(norm.state_dict().empty());
  norm.eval();
  const Tensor x = from_vector(std::vector<float>{0, 4, 2, 8}, {1, 1, 2, 2});
  CHECK(norm(x).to_vector<float>()[3] == Approx(1).epsilon(1e-4));
}

TEST_CASE("statistics that change between forward and backward are noticed") {
  BatchNorm2d norm(2);
  norm.to(DType::float64);
  norm.eval();
  const Tensor x = random_tensor({2, 2, 2, 2}, 1);
  const Tensor y = norm(x);
  norm.train();
  norm(x);
  CHECK_THROWS_AS(y.backward({.gradient = ones({2, 2, 2, 2}, float64())}), Error);
}

TEST_CASE("batch norm says what does not fit") {
  CHECK_THROWS_WITH(BatchNorm2d(0), Equals("BatchNorm2d: channels is 0, expected at least 1"));
  CHECK_THROWS_WITH(BatchNorm2d(3)(zeros({2, 3})), Equals("BatchNorm2d: input is [2, 3], expected [N, H, W, C]"));
  CHECK_THROWS_WITH(BatchNorm2d(3)(zeros({2, 3, 3, 4})),
                    Equals("batch_norm: running_mean is [3], expected [4] (channels of input [2, 3, 3, 4])"));
  CHECK_THROWS_WITH(BatchNorm2d(3)(zeros({1, 1, 1, 3})),
                    Equals("batch_norm: input is [1, 1, 1, 3], expected more than one value per channel in training"));
  CHECK_THROWS_WITH(BatchNorm2d(3)(zeros({1, 2, 1, 3}, float64())),
                    Equals("batch_norm: running_mean is float32, but input is float64; convert with to()"));
  CHECK_THROWS_WITH(batch_norm(zeros({2, 3})),
                    Equals("batch_norm: running_mean or running_var is undefined, expected both outside training"));
  CHECK(BatchNorm2d(3)(zeros({0, 2, 2, 3})).shape() == Shape{0, 2, 2, 3});
}
