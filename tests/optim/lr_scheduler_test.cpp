// Schedules against their closed forms and against values of PyTorch 2.
#include "deft/optim/lr_scheduler.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "deft/optim/adam.h"
#include "deft/optim/sgd.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Equals;

namespace {

Tensor parameter() { return zeros({1}).set_requires_grad(); }

// The learning rate before each of the first steps, and after the last.
std::vector<double> run(const Optimizer& optimizer, LRScheduler& schedule, int steps) {
  std::vector<double> rates{optimizer.lr()};
  for (int i = 0; i < steps; ++i) {
    schedule.step();
    rates.push_back(optimizer.lr());
  }
  return rates;
}

void check_near(const std::vector<double>& actual, const std::vector<double>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) CHECK(actual[i] == Approx(expected[i]).epsilon(1e-12).margin(1e-15));
}

using MakeSchedule = std::function<std::shared_ptr<LRScheduler>(Optimizer&)>;

// An optimizer of several groups and its schedule.
class Follower {
 public:
  /// The values of each group.
  struct Values {
    std::vector<double> lrs, momenta;
    bool operator==(const Values&) const = default;
  };

  Follower(const std::vector<double>& lrs, const MakeSchedule& make) : sgd_({parameter()}, {lrs[0], 0.9}) {
    for (std::size_t i = 1; i < lrs.size(); ++i) sgd_.add_parameter_group({parameter()}, {lrs[i], 0.9});
    schedule_ = make(sgd_);
  }

  /// Before each of the next steps, and after the last.
  std::vector<Values> follow(int steps) {
    std::vector<Values> all{values()};
    for (int i = 0; i < steps; ++i) {
      schedule_->step();
      all.push_back(values());
    }
    return all;
  }

  void load(const Follower& other) { schedule_->load_state_dict(other.schedule_->state_dict()); }

 private:
  Values values() const {
    Values result;
    for (std::size_t i = 0; i < sgd_.groups().size(); ++i) {
      result.lrs.push_back(sgd_.lr(i));
      result.momenta.push_back(sgd_.option(i, "momentum"));
    }
    return result;
  }

  SGD sgd_;
  std::shared_ptr<LRScheduler> schedule_;
};

}  // namespace

TEST_CASE("StepLR multiplies by gamma every step_size steps, in every group") {
  SGD sgd({parameter()}, {.lr = 1});
  sgd.add_parameter_group({parameter()}, {.lr = 10});
  StepLR schedule(sgd, {.step_size = 2, .gamma = 0.5});
  check_near(run(sgd, schedule, 5), {1, 1, 0.5, 0.5, 0.25, 0.25});
  CHECK(sgd.lr(1) == Approx(2.5));
  CHECK(schedule.last_step() == 5);
}

TEST_CASE("StepLR of E0: 0.7 after every epoch") {
  Adam adam({parameter()}, {.lr = 1e-3});
  StepLR schedule(adam, {.step_size = 1, .gamma = 0.7});
  const auto rates = run(adam, schedule, 13);
  CHECK(rates[13] == Approx(1e-3 * std::pow(0.7, 13)));
}

TEST_CASE("MultiStepLR counts every milestone that is reached") {
  SGD sgd({parameter()}, {.lr = 0.1});
  MultiStepLR schedule(sgd, {.milestones = {5, 2, 5}, .gamma = 0.5});
  check_near(run(sgd, schedule, 6), {0.1, 0.1, 0.05, 0.05, 0.05, 0.0125, 0.0125});
}

TEST_CASE("CosineAnnealingLR falls to eta_min and rises again, as PyTorch's") {
  SGD sgd({parameter()}, {.lr = 0.1});
  CosineAnnealingLR schedule(sgd, {.t_max = 4, .eta_min = 0.02});
  check_near(run(sgd, schedule, 9), {0.1, 0.08828427124746191, 0.06, 0.0317157287525381, 0.02, 0.0317157287525381, 0.06,
                                     0.08828427124746194, 0.1, 0.08828427124746195});
}

TEST_CASE("LinearWarmup is PyTorch's LinearLR, and hands over to another schedule") {
  SGD sgd({parameter()}, {.lr = 0.1});
  LinearWarmup schedule(sgd, {.start_factor = 0.25, .total_steps = 4});
  check_near(run(sgd, schedule, 6), {0.025, 0.04375, 0.0625, 0.08125, 0.1, 0.1, 0.1});
  SGD other({parameter()}, {.lr = 0.1});
  auto after = std::make_shared<StepLR>(other, StepLROptions{.step_size = 2});
  LinearWarmup both(other, {.start_factor = 0.5, .total_steps = 2}, after);
  check_near(run(other, both, 5), {0.05, 0.075, 0.1, 0.1, 0.01, 0.01});
}

TEST_CASE("OneCycleLR moves learning rate and momentum against each other, as PyTorch's") {
  SGD sgd({parameter()}, {.lr = 5, .momentum = 0.9});
  OneCycleLR schedule(sgd, {.max_lr = 1, .total_steps = 10});
  CHECK(sgd.option(0, "momentum") == Approx(0.95));
  check_near(run(sgd, schedule, 9), {0.04, 0.52, 1, 0.9504846320134737, 0.8117456539497631, 0.6112620219362893,
                                     0.38874197806371075, 0.18825834605023697, 0.049519367986526286, 4e-06});
  std::vector<double> momenta;
  for (const int step : {1, 2, 5, 9}) momenta.push_back(schedule.momentum_at(step).value());
  check_near(momenta, {0.9, 0.85, 0.8888739533021842, 0.95});
  schedule.step();
  CHECK(sgd.lr() == Approx(4e-6));
  CHECK_THROWS_WITH(schedule.step(), Equals("OneCycleLR: step is 11, expected at most total_steps 10"));
}

TEST_CASE("OneCycleLR in straight lines over Adam cycles beta1") {
  Adam adam({parameter()});
  OneCycleLR schedule(adam, {.max_lr = 0.5,
                             .total_steps = 7,
                             .pct_start = 0.4,
                             .linear = true,
                             .base_momentum = 0.8,
                             .max_momentum = 0.9,
                             .div_factor = 10,
                             .final_div_factor = 100});
  std::vector<double> rates, betas;
  for (int i = 0; i < 7; ++i) {
    rates.push_back(adam.lr());
    betas.push_back(adam.option(0, "beta1"));
    schedule.step();
  }
  check_near(rates,
             {0.05, 0.3, 0.47621428571428576, 0.3572857142857143, 0.23835714285714282, 0.11942857142857138, 5e-4});
  check_near(betas, {0.9, 0.8444444444444444, 0.8047619047619048, 0.8285714285714286, 0.8523809523809525,
                     0.8761904761904762, 0.9});
}

TEST_CASE("a warmup before another schedule gives the values of PyTorch's SequentialLR") {
  // Each from torch 2.15: SequentialLR of LinearLR(0.5, total_iters=2) and the schedule, with milestone 2 and lr 1.
  const auto composed = [](const MakeSchedule& make, std::size_t group) {
    Follower follower({1, 0.25}, make);
    std::vector<double> rates;
    for (const auto& [lrs, momenta] : follower.follow(6)) rates.push_back(lrs[group]);
    return rates;
  };
  const auto before = [](auto make) {
    return [make](Optimizer& optimizer) {
      return std::make_shared<LinearWarmup>(optimizer, LinearWarmupOptions{.start_factor = 0.5, .total_steps = 2},
                                            make(optimizer));
    };
  };
  const auto warmup = before([](Optimizer& optimizer) {
    return std::make_shared<LinearWarmup>(optimizer, LinearWarmupOptions{.start_factor = 0.1, .total_steps = 3});
  });
  check_near(composed(warmup, 0), {0.5, 0.75, 0.1, 0.4, 0.7, 1, 1});
  check_near(composed(warmup, 1), {0.125, 0.1875, 0.025, 0.1, 0.175, 0.25, 0.25});
  const auto cosine = before([](Optimizer& optimizer) {
    return std::make_shared<CosineAnnealingLR>(optimizer, CosineAnnealingLROptions{.t_max = 4, .eta_min = 0.02});
  });
  check_near(composed(cosine, 1), {0.125, 0.1875, 0.25, 0.21631727983645296, 0.135, 0.05368272016354704, 0.02});
  const auto steps = before([](Optimizer& optimizer) {
    return std::make_shared<MultiStepLR>(optimizer, MultiStepLROptions{.milestones = {1, 3}});
  });
  check_near(composed(steps, 0), {0.5, 0.75, 1, 0.1, 0.1, 0.01, 0.01});
  const auto one_cycle = before([](Optimizer& optimizer) {
    return std::make_shared<OneCycleLR>(optimizer, OneCycleLROptions{.max_lr = 1, .total_steps = 6});
  });
  check_near(composed(one_cycle, 1),
             {0.02, 0.03, 0.04, 0.9944154354509117, 0.811745653949763, 0.46263710266697505, 0.1334775301888306});
  Follower follower({1, 0.25}, one_cycle);
  std::vector<double> momenta;
  for (const auto& [lrs, momentum] : follower.follow(6)) momenta.push_back(momentum[1]);
  check_near(momenta,
             {0.95, 0.95, 0.95, 0.8505584586887436, 0.8688255099070633, 0.9037365046793212, 0.9366525935914912});
}

TEST_CASE("after a warmup any schedule runs as it does without one, and resumes at any step") {
  std::vector<MakeSchedule> schedules = {
      [](Optimizer& o) { return std::make_shared<StepLR>(o, StepLROptions{.step_size = 2, .gamma = 0.5}); },
      [](Optimizer& o) {
        return std::make_shared<MultiStepLR>(o, MultiStepLROptions{.milestones = {1, 3}});
      },
      [](Optimizer& o) {
        return std::make_shared<CosineAnnealingLR>(o, CosineAnnealingLROptions{4, 0.02});
      },
      [](Optimizer& o) {
        return std::make_shared<LinearWarmup>(o, LinearWarmupOptions{0.1, 3});
      },
      [](Optimizer& o) { return std::make_shared<OneCycleLR>(o, OneCycleLROptions{.max_lr = 2, .total_steps = 9}); },
      [](Optimizer& o) {
        return std::make_shared<OneCycleLR>(o,
                                            OneCycleLROptions{.max_lr = 2, .total_steps = 9, .cycle_momentum = false});
      }};
  const auto after_warmup = [](const MakeSchedule& make, const LinearWarmupOptions& options) {
    return [make, options](Optimizer& o) { return std::make_shared<LinearWarmup>(o, options, make(o)); };
  };
  for (std::size_t i = 0, count = schedules.size(); i < count; ++i) {
    schedules.push_back(after_warmup(schedules[i], {0.2, 2}));  // two warmups
  }
  constexpr int warmup = 3, length = 8;
  for (std::size_t i = 0; i < schedules.size(); ++i) {
    CAPTURE(i);
    const MakeSchedule both = after_warmup(schedules[i], {0.25, warmup});
    const auto inner = Follower({1, 0.25}, schedules[i]).follow(length);
    const auto values = Follower({1, 0.25}, both).follow(warmup + length);
    for (int step = 0; step <= length; ++step) {
      CHECK(values[static_cast<std::size_t>(warmup + step)] == inner[static_cast<std::size_t>(step)]);
    }
    const bool one_cycle = i % 6 >= 4;
    for (int step = 0; step < warmup; ++step) {
      CAPTURE(step);
      const auto& [lrs, momenta] = values[static_cast<std::size_t>(step)];
      const double factor = 0.25 + 0.75 * step / warmup;
      check_near(lrs, {factor * (one_cycle ? 0.08 : 1), factor * (one_cycle ? 0.08 : 0.25)});
      CHECK(momenta == inner[0].momenta);
    }
    for (int step = 0; step < warmup + length; ++step) {
      CAPTURE(step);
      Follower first({1, 0.25}, both), resumed({7, 5}, both);
      first.follow(step);
      resumed.load(first);
      const auto rest = resumed.follow(warmup + length - step);
      CHECK(std::equal(rest.begin(), rest.end(), values.begin() + step));
    }
  }
}

TEST_CASE("a schedule after a warmup must be of the same optimizer") {
  SGD sgd({parameter()}), other({parameter()});
  CHECK_THROWS_WITH(LinearWarmup(sgd, {}, std::make_shared<StepLR>(other)),
                    Equals("LinearWarmup: the schedule after it is of another optimizer, expected one of the same"));
}

TEST_CASE("a schedule resumes where it was saved") {
  SGD sgd({parameter()}, {.lr = 1});
  StepLR schedule(sgd, {.step_size = 2, .gamma = 0.5});
  run(sgd, schedule, 3);
  SGD other({parameter()}, {.lr = 7});
  StepLR resumed(other, {.step_size = 2, .gamma = 0.5});
  resumed.load_state_dict(schedule.state_dict());
  CHECK(other.lr() == 0.5);
  check_near(run(other, resumed, 1), {0.5, 0.25});
  other.add_parameter_group({parameter()});
  StepLR two_groups(other);
  CHECK_THROWS_WITH(two_groups.load_state_dict(schedule.state_dict()),
                    Equals("LRScheduler: load_state_dict: 'base_lr' is [1], expected [2] (one per group)"));
  CHECK_THROWS_WITH(two_groups.load_state_dict({}), Equals("LRScheduler: load_state_dict: 'step' is missing"));
}

TEST_CASE("a group that came after the schedule is noticed, not left out") {
  SGD sgd({parameter()}, {.lr = 1});
  StepLR schedule(sgd, {.step_size = 1, .gamma = 0.5});
  sgd.add_parameter_group({parameter()}, {.lr = 1});
  CHECK_THROWS_WITH(schedule.step(),
                    Equals("LRScheduler: the optimizer has 2 groups, but had 1 when the schedule was made"));
  CHECK(sgd.lr() == 1);
  CHECK(schedule.last_step() == 0);
}

TEST_CASE("a schedule's state is refused when it is out of range") {
  SGD sgd({parameter()}, {.lr = 1});
  StepLR schedule(sgd, {.step_size = 1, .gamma = 0.5});
  schedule.step();
  NamedTensors state = schedule.state_dict();
  state[0].second = full({}, -1, {.dtype = DType::int64});
  CHECK_THROWS_WITH(schedule.load_state_dict(state),
                    Equals("LRScheduler: load_state_dict: 'step' is -1, expected at least 0"));
  state = schedule.state_dict();
  state[1].second = full({1}, -2, {.dtype = DType::float64});
  CHECK_THROWS_WITH(schedule.load_state_dict(state),
                    Equals("LRScheduler: load_state_dict: 'base_lr' is -2, expected at least 0"));
  CHECK(schedule.last_step() == 1);
  CHECK(sgd.lr() == 0.5);
}

TEST_CASE("schedules say what is out of range") {
  SGD sgd({parameter()});
  CHECK_THROWS_WITH(StepLR(sgd, {.gamma = -1}), Equals("StepLR: gamma is -1, expected at least 0"));
  CHECK_THROWS_WITH(MultiStepLR(sgd, {.gamma = NAN}), Equals("MultiStepLR: gamma is nan, expected at least 0"));
  CHECK_THROWS_WITH(MultiStepLR(sgd, {.milestones = {-1}}),
                    Equals("MultiStepLR: a milestone is -1, expected at least 0"));
  CHECK_THROWS_WITH(CosineAnnealingLR(sgd, {.eta_min = -1}),
                    Equals("CosineAnnealingLR: eta_min is -1, expected at least 0"));
  const auto one_cycle = [&](OneCycleLROptions options) {
    options.max_lr = 1;
    options.total_steps = 5;
    OneCycleLR schedule(sgd, options);
  };
  CHECK_THROWS_WITH(one_cycle({.div_factor = 0}), Equals("OneCycleLR: div_factor is 0, expected above 0"));
  CHECK_THROWS_WITH(one_cycle({.final_div_factor = -1}),
                    Equals("OneCycleLR: final_div_factor is -1, expected above 0"));
  CHECK_THROWS_WITH(one_cycle({.base_momentum = -0.1}),
                    Equals("OneCycleLR: base_momentum is -0.1, expected at least 0 and below 1"));
  CHECK_THROWS_WITH(one_cycle({.max_momentum = 1}),
                    Equals("OneCycleLR: max_momentum is 1, expected at least 0 and below 1"));
  CHECK_THROWS_WITH(StepLR(sgd, {.step_size = 0}), Equals("StepLR: step_size is 0, expected at least 1"));
  CHECK_THROWS_WITH(CosineAnnealingLR(sgd, {.t_max = 0}), Equals("CosineAnnealingLR: t_max is 0, expected at least 1"));
  CHECK_THROWS_WITH(LinearWarmup(sgd, {.start_factor = 0}),
                    Equals("LinearWarmup: start_factor is 0, expected above 0 and at most 1"));
  CHECK_THROWS_WITH(OneCycleLR(sgd, {.max_lr = 1}), Equals("OneCycleLR: total_steps is 0, expected at least 1"));
  CHECK_THROWS_WITH(OneCycleLR(sgd, {.total_steps = 5}), Equals("OneCycleLR: max_lr is 0, expected above 0"));
}
