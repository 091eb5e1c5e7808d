#include "deft/optim/lr_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

void require_positive(const char* schedule, const char* option, std::int64_t value) {
  if (value < 1) throw Error(fmt::format("{}: {} is {}, expected at least 1", schedule, option, value));
}

void require_positive(const char* schedule, const char* option, double value) {
  if (value > 0 && std::isfinite(value)) return;
  throw Error(fmt::format("{}: {} is {}, expected above 0", schedule, option, value));
}

void require_not_negative(const char* schedule, const char* option, double value) {
  if (value >= 0 && std::isfinite(value)) return;
  throw Error(fmt::format("{}: {} is {}, expected at least 0", schedule, option, value));
}

// From `begin` to `end` while `share` goes from 0 to 1, along half a cosine.
double cosine(double begin, double end, double share) {
  return end + (begin - end) / 2 * (1 + std::cos(std::numbers::pi * share));
}

const Tensor& find(const NamedTensors& state, const char* name) {
  const auto found = std::find_if(state.begin(), state.end(), [&](const auto& entry) { return entry.first == name; });
  if (found == state.end()) throw Error(fmt::format("LRScheduler: load_state_dict: '{}' is missing", name));
  return found->second;
}

std::vector<double> lrs_of(const Optimizer& optimizer) {
  std::vector<double> lrs;
  for (std::size_t i = 0; i < optimizer.groups().size(); ++i) lrs.push_back(optimizer.lr(i));
  return lrs;
}

// The option that momentum schedules move; null for an optimizer without momentum.
const char* momentum_option(const Optimizer& optimizer) {
  const Optimizer::Options& known = optimizer.groups().at(0).options;
  return known.count("momentum") == 1 ? "momentum" : known.count("beta1") == 1 ? "beta1" : nullptr;
}

}  // namespace

LRScheduler::LRScheduler(Optimizer& optimizer) : LRScheduler(optimizer, lrs_of(optimizer)) {}

LRScheduler::LRScheduler(Optimizer& optimizer, std::vector<double> base_lrs)
    : optimizer_(optimizer), base_lrs_(std::move(base_lrs)) {}

std::optional<double> LRScheduler::momentum_at(std::int64_t) const { return std::nullopt; }

void LRScheduler::step() {
  apply(step_ + 1);
  ++step_;
}

void LRScheduler::apply(std::int64_t step) {
  if (optimizer_.groups().size() != base_lrs_.size()) {
    throw Error(fmt::format("LRScheduler: the optimizer has {} groups, but had {} when the schedule was made",
                            optimizer_.groups().size(), base_lrs_.size()));
  }
  const std::optional<double> momentum = momentum_at(step);
  const char* const option = momentum_option(optimizer_);
  if (momentum && option == nullptr) throw Error("LRScheduler: it moves momentum, but the optimizer has none");
  for (std::size_t i = 0; i < base_lrs_.size(); ++i) {
    optimizer_.set_option(i, "lr", lr_at(step, base_lrs_[i]));
    if (momentum) optimizer_.set_option(i, option, *momentum);
  }
}

NamedTensors LRScheduler::state_dict() const {
  const auto groups = static_cast<std::int64_t>(base_lrs_.size());
  return {{"step", full(Shape{}, static_cast<double>(step_), {.dtype = DType::int64, .device = Device::cpu()})},
          {"base_lr", from_vector(base_lrs_, {groups}, Device::cpu())}};
}

void LRScheduler::load_state_dict(const NamedTensors& state) {
  const std::int64_t step = find(state, "step").item<std::int64_t>();
  const Tensor& base_lr = find(state, "base_lr");
  if (base_lr.numel() != static_cast<std::int64_t>(base_lrs_.size())) {
    throw Error(fmt::format("LRScheduler: load_state_dict: 'base_lr' is {}, expected [{}] (one per group)",
                            to_string(base_lr.shape()), base_lrs_.size()));
  }
  std::vector<double> base_lrs = base_lr.to_vector<double>();
  require_not_negative("LRScheduler: load_state_dict", "'step'", static_cast<double>(step));
  for (const double lr : base_lrs) require_not_negative("LRScheduler: load_state_dict", "'base_lr'", lr);
  std::swap(base_lrs_, base_lrs);
  try {
    apply(step);
  } catch (...) {
    std::swap(base_lrs_, base_lrs);
    throw;
  }
  step_ = step;
}

StepLR::StepLR(Optimizer& optimizer, const StepLROptions& options) : LRScheduler(optimizer), options_(options) {
  require_positive("StepLR", "step_size", options.step_size);
  require_not_negative("StepLR", "gamma", options.gamma);
  StepLR::apply(0);
}

double StepLR::lr_at(std::int64_t step, double base_lr) const {
  return base_lr * std::pow(options_.gamma, static_cast<double>(step / options_.step_size));
}

MultiStepLR::MultiStepLR(Optimizer& optimizer, const MultiStepLROptions& options)
    : LRScheduler(optimizer), options_(options) {
  require_not_negative("MultiStepLR", "gamma", options.gamma);
  for (const std::int64_t milestone : options.milestones) {
    require_not_negative("MultiStepLR", "a milestone", static_cast<double>(milestone));
  }
  MultiStepLR::apply(0);
}

double MultiStepLR::lr_at(std::int64_t step, double base_lr) const {
  const auto& milestones = options_.milestones;
  const auto passed = std::count_if(milestones.begin(), milestones.end(), [&](std::int64_t m) { return m <= step; });
  return base_lr * std::pow(options_.gamma, static_cast<double>(passed));
}

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options)
    : LRScheduler(optimizer), options_(options) {
  require_positive("CosineAnnealingLR", "t_max", options.t_max);
  require_not_negative("CosineAnnealingLR", "eta_min", options.eta_min);
  CosineAnnealingLR::apply(0);
}

double CosineAnnealingLR::lr_at(std::int64_t step, double base_lr) const {
  return cosine(base_lr, options_.eta_min, static_cast<double>(step) / static_cast<double>(options_.t_max));
}

LinearWarmup::LinearWarmup(Optimizer& optimizer, const LinearWarmupOptions& options,
                           std::shared_ptr<const LRScheduler> after)
    : LRScheduler(optimizer, after ? after->base_lrs() : lrs_of(optimizer)),
      options_(options),
      after_(std::move(after)) {
  require_positive("LinearWarmup", "total_steps", options.total_steps);
  if (!(options.start_factor > 0 && options.start_factor <= 1)) {
    throw Error(fmt::format("LinearWarmup: start_factor is {}, expected above 0 and at most 1", options.start_factor));
  }
  if (after_ && &after_->optimizer() != &optimizer) {
    throw Error("LinearWarmup: the schedule after it is of another optimizer, expected one of the same");
  }
  LinearWarmup::apply(0);
}

double LinearWarmup::lr_at(std::int64_t step, double base_lr) const {
  if (step < options_.total_steps) {
    const double share = static_cast<double>(step) / static_cast<double>(options_.total_steps);
    return base_lr * (options_.start_factor + (1 - options_.start_factor) * share);
  }
  return after_ ? after_->lr_at(step - options_.total_steps, base_lr) : base_lr;
}

std::optional<double> LinearWarmup::momentum_at(std::int64_t step) const {
  if (!after_) return std::nullopt;
  return after_->momentum_at(std::max<std::int64_t>(step - options_.total_steps, 0));
}

OneCycleLR::OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options)
    : LRScheduler(optimizer, std::vector<double>(optimizer.groups().size(), options.max_lr / options.div_factor)),
      options_(options) {
  require_positive("OneCycleLR", "total_steps", options.total_steps);
  require_positive("OneCycleLR", "max_lr", options.max_lr);
  require_positive("OneCycleLR", "div_factor", options.div_factor);
  require_positive("OneCycleLR", "final_div_factor", options.final_div_factor);
  if (!(options.pct_start >= 0 && options.pct_start <= 1)) {
    throw Error(fmt::format("OneCycleLR: pct_start is {}, expected from 0 to 1", options.pct_start));
  }
  if (options.cycle_momentum) {
    for (const auto& [name, value] :
         {std::pair("base_momentum", options.base_momentum), std::pair("max_momentum", options.max_momentum)}) {
      if (value >= 0 && value < 1) continue;
      throw Error(fmt::format("OneCycleLR: {} is {}, expected at least 0 and below 1", name, value));
    }
    if (momentum_option(optimizer) == nullptr) {
      throw Error("OneCycleLR: cycle_momentum is on, but the optimizer has no momentum");
    }
  }
  OneCycleLR::apply(0);
}

double OneCycleLR::between(std::int64_t step, double first, double peak, double last) const {
  if (step > options_.total_steps) {
    throw Error(fmt::format("OneCycleLR: step is {}, expected at most total_steps {}", step, options_.total_steps));
  }
  const double top = options_.pct_start * static_cast<double>(options_.total_steps) - 1;
  const double end = static_cast<double>(options_.total_steps - 1);
  const auto at = static_cast<double>(step);
  const auto go = [&](double from, double to, double share) {
    return options_.linear ? from + (to - from) * share : cosine(from, to, share);
  };
  if (at <= top) return go(first, peak, top > 0 ? at / top : 1);
  return go(peak, last, at < end ? (at - top) / (end - top) : 1);
}

double OneCycleLR::lr_at(std::int64_t step, double) const {
  const double first = options_.max_lr / options_.div_factor;
  return between(step, first, options_.max_lr, first / options_.final_div_factor);
}

std::optional<double> OneCycleLR::momentum_at(std::int64_t step) const {
  if (!options_.cycle_momentum) return std::nullopt;
  return between(step, options_.max_momentum, options_.base_momentum, options_.max_momentum);
}

}  // namespace deft
