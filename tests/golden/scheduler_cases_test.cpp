// PyTorch's tests of learning-rate schedules (test/optim/test_lrscheduler.py): two groups, of learning rates 0.05 and
// 0.5, and the rates of every epoch. deft has no ExponentialLR, ConstantLR, PolynomialLR, LambdaLR, MultiplicativeLR,
// CyclicLR, ReduceLROnPlateau, CosineAnnealingWarmRestarts and SWALR, no end_factor, no three phases and no
// ChainedScheduler.
#include <cmath>
#include <vector>

#include "deft/optim/adam.h"
#include "deft/optim/lr_scheduler.h"
#include "deft/optim/sgd.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

constexpr double pi = 3.14159265358979323846;

Tensor parameter() { return zeros({1}).set_requires_grad(); }

struct TwoGroups : SGD {
  TwoGroups() : SGD({parameter()}, {.lr = 0.05, .momentum = 0.5}) {
    add_parameter_group({parameter()}, {.lr = 0.5, .momentum = 0.5});
  }
};

// The rates of the first group, epoch by epoch; those of the second are ten times as large.
void check_rates(const SGD& sgd, LRScheduler& schedule, const std::vector<double>& expected) {
  for (std::size_t epoch = 0; epoch < expected.size(); ++epoch) {
    INFO("epoch " << epoch);
    CHECK(sgd.lr(0) == Approx(expected[epoch]).epsilon(1e-12));
    CHECK(sgd.lr(1) == Approx(10 * expected[epoch]).epsilon(1e-12));
    schedule.step();
  }
}

// PyTorch's momenta of 1 to 22 are not momenta to deft; a hundredth of them moves the same way.
void check_linear_one_cycle(Optimizer& optimizer, const char* momentum) {
  OneCycleLR schedule(optimizer, {.max_lr = 25,
                                  .total_steps = 10,
                                  .linear = true,
                                  .base_momentum = 0.01,
                                  .max_momentum = 0.22,
                                  .final_div_factor = 2});
  const std::vector<double> rates = {1, 13, 25, 21.5, 18, 14.5, 11, 7.5, 4, 0.5};
  const std::vector<double> momenta = {22, 11.5, 1, 4, 7, 10, 13, 16, 19, 22};
  for (std::size_t step = 0; step < rates.size(); ++step) {
    INFO("step " << step);
    for (const std::size_t group : {0, 1}) {
      CHECK(optimizer.lr(group) == Approx(rates[step]).epsilon(1e-12));
      CHECK(optimizer.option(group, momentum) == Approx(momenta[step] / 100).epsilon(1e-12));
    }
    schedule.step();
  }
}

double cosine(double from, double to, double share) { return to + (from - to) * (1 + std::cos(pi * share)) / 2; }

}  // namespace

TEST_CASE("PyTorch schedules: test_step_lr") {
  TwoGroups sgd;
  StepLR schedule(sgd, {.step_size = 3, .gamma = 0.1});
  check_rates(sgd, schedule, {0.05, 0.05, 0.05, 0.005, 0.005, 0.005, 0.0005, 0.0005, 0.0005, 0.00005});
}

TEST_CASE("PyTorch schedules: test_multi_step_lr") {
  TwoGroups sgd;
  MultiStepLR schedule(sgd, {.milestones = {2, 5, 9}, .gamma = 0.1});
  check_rates(sgd, schedule, {0.05, 0.05, 0.005, 0.005, 0.005, 0.0005, 0.0005, 0.0005, 0.0005, 0.00005});
}

TEST_CASE("PyTorch schedules: test_linearlr") {
  TwoGroups sgd;
  LinearWarmup schedule(sgd, {.start_factor = 0.5, .total_steps = 4});
  check_rates(sgd, schedule, {0.025, 0.03125, 0.0375, 0.04375, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05});
}

TEST_CASE("PyTorch schedules: test_linearlr_start_factor_limits1 and 2") {
  TwoGroups sgd;
  CHECK_THROWS_WITH(LinearWarmup(sgd, {.start_factor = 0, .total_steps = 4}), Contains("start_factor is 0"));
  CHECK_THROWS_WITH(LinearWarmup(sgd, {.start_factor = 1.1, .total_steps = 4}), Contains("start_factor is 1.1"));
}

TEST_CASE("PyTorch schedules: test_cos_anneal_lr") {
  TwoGroups sgd;
  constexpr double eta_min = 1e-10;
  CosineAnnealingLR schedule(sgd, {.t_max = 10, .eta_min = eta_min});
  for (int epoch = 0; epoch < 10; ++epoch) {
    CHECK(sgd.lr(0) == Approx(cosine(0.05, eta_min, epoch / 10.0)).epsilon(1e-12));
    CHECK(sgd.lr(1) == Approx(cosine(0.5, eta_min, epoch / 10.0)).epsilon(1e-12));
    schedule.step();
  }
  CHECK(sgd.lr(0) == Approx(eta_min).epsilon(1e-12));
}

// Beyond t_max the rate rises and falls again.
TEST_CASE("PyTorch schedules: test_closed_form_cos_anneal_lr") {
  TwoGroups sgd;
  constexpr double eta_min = 1e-10;
  CosineAnnealingLR schedule(sgd, {.t_max = 5, .eta_min = eta_min});
  for (int epoch = 0; epoch < 20; ++epoch) {
    INFO("epoch " << epoch);
    CHECK(sgd.lr(0) == Approx(cosine(0.05, eta_min, epoch / 5.0)).epsilon(1e-12));
    CHECK(schedule.lr_at(epoch, 0.5) == Approx(cosine(0.5, eta_min, epoch / 5.0)).epsilon(1e-12));
    schedule.step();
  }
}

TEST_CASE("PyTorch schedules: test_onecycle_lr_linear_annealing") {
  TwoGroups sgd;
  check_linear_one_cycle(sgd, "momentum");
}

TEST_CASE("PyTorch schedules: test_cycle_lr_with_adam") {
  Adam adam({parameter()}, {.lr = 0.05});
  adam.add_parameter_group({parameter()}, {.lr = 0.5});
  check_linear_one_cycle(adam, "beta1");
}

TEST_CASE("PyTorch schedules: test_onecycle_lr_cosine_annealing") {
  TwoGroups sgd;
  OneCycleLR schedule(
      sgd, {.max_lr = 25, .total_steps = 10, .base_momentum = 0.01, .max_momentum = 0.22, .final_div_factor = 2});
  for (int step = 0; step < 10; ++step) {
    INFO("step " << step);
    const double rate = step <= 2 ? cosine(1, 25, step / 2.0) : cosine(25, 0.5, (step - 2) / 7.0);
    const double momentum = step <= 2 ? cosine(0.22, 0.01, step / 2.0) : cosine(0.01, 0.22, (step - 2) / 7.0);
    CHECK(sgd.lr(0) == Approx(rate).epsilon(1e-12));
    CHECK(sgd.option(1, "momentum") == Approx(momentum).epsilon(1e-12));
    schedule.step();
  }
}

// At total_steps PyTorch extrapolates the last line, to −3 here; deft holds the last rate. Both refuse the next step.
TEST_CASE("PyTorch schedules: OneCycleLR refuses a step beyond its total, no total, and a share above 1") {
  TwoGroups sgd;
  OneCycleLR schedule(sgd, {.max_lr = 25, .total_steps = 10, .linear = true, .final_div_factor = 2});
  for (int step = 0; step < 10; ++step) schedule.step();
  CHECK(sgd.lr() == Approx(0.5).epsilon(1e-12));
  CHECK_THROWS_WITH(schedule.step(), Contains("step is 11, expected at most total_steps 10"));
  CHECK_THROWS_WITH(OneCycleLR(sgd, {.max_lr = 25}), Contains("total_steps is 0"));
  CHECK_THROWS_WITH(OneCycleLR(sgd, {.max_lr = 25, .total_steps = 10, .pct_start = 1.1}), Contains("pct_start is 1.1"));
  CHECK_THROWS_WITH(OneCycleLR(sgd, {.max_lr = 25, .total_steps = 10, .max_momentum = 22}),
                    Contains("max_momentum is 22"));
}
