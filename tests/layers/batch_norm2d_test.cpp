// Batch normalisation as a layer: gradients, modes, freezing, and what it refuses.
#include "deft/layers/batch_norm2d.h"

#include "deft/core/elementwise.h"
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

namespace {

// One with a batch norm of its own, used twice, before another one.
struct Twice : Module {
  BatchNorm2d first = add("first", BatchNorm2d(1, {.affine = false}));
  BatchNorm2d second = add("second", BatchNorm2d(1, {.affine = false}));
  Tensor forward(const Tensor& x) override {
    first(x);
    return second(first(x + 6.0));
  }
};

Tensor column(const std::vector<float>& values) {
  return from_vector(values, {static_cast<std::int64_t>(values.size()), 1, 1, 1});
}

}  // namespace

// Means 2 and 7, unbiased variances 2 and 9: each batch counts the same, whatever its size.
TEST_CASE("update_bn replaces running statistics by the averages over the batches") {
  BatchNorm2d norm(1, {.momentum = 0.01});
  norm(column({100, 300}));
  norm.eval();
  update_bn(std::vector<Tensor>{column({1, 3}), column({4, 7, 10})}, norm);
  CHECK(norm.running_mean->item() == Approx(4.5));
  CHECK(norm.running_var->item() == Approx(5.5));
  CHECK_FALSE(norm.is_training());

  struct Batch {
    Tensor images;
  };
  update_bn(std::vector<Batch>{{column({1, 3})}}, norm);
  CHECK(norm.running_mean->item() == Approx(2));
  CHECK(norm.running_var->item() == Approx(2));
}

TEST_CASE("update_bn counts each pass through a module and reaches all that are not frozen") {
  Twice model;
  update_bn(std::vector<Tensor>{column({1, 3})}, model);
  CHECK(model.first.running_mean->item() == Approx(5));  // of 2 and 8
  CHECK(model.second.running_mean->item() == Approx(0).margin(1e-6));
  CHECK(model.second.running_var->item() == Approx(2));
  CHECK(model.is_training());

  model.first.freeze();
  update_bn(std::vector<Tensor>{column({11, 17})}, model);
  CHECK(model.first.running_mean->item() == Approx(5));
  CHECK(model.second.running_mean->item() != Approx(0).margin(0.1));
}

TEST_CASE("update_bn changes nothing when a batch fails, and says when there was nothing to do") {
  BatchNorm2d norm(1);
  norm.eval();
  CHECK_THROWS_AS(update_bn(std::vector<Tensor>{column({1, 3}), zeros({2, 1, 1, 2})}, norm), Error);
  CHECK(norm.running_mean->item() == 0);
  CHECK(norm.running_var->item() == 1);
  CHECK_FALSE(norm.is_training());
  norm.train();
  norm(column({10, 30}));
  CHECK(norm.running_mean->item() == Approx(2));  // after the failure momentum holds again

  {  // a pass that fails does not count
    BatchNormUpdate update(norm);
    CHECK_THROWS_AS(norm(zeros({2, 1, 1, 2})), Error);
    CHECK(update.empty());
    norm(column({1, 3}));
    update.commit();
    CHECK(norm.running_mean->item() == Approx(2));
  }
  const std::string nothing = "update_bn: no batch has passed through a BatchNorm2d that is not frozen";
  CHECK_THROWS_WITH(update_bn(std::vector<Tensor>{}, norm), Equals(nothing));
  Twice frozen;
  frozen.freeze();
  CHECK_THROWS_WITH(update_bn(std::vector<Tensor>{column({1, 3})}, frozen), Equals(nothing));
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
