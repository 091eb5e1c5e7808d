// Learning-rate schedules, as in torch.optim.lr_scheduler, in closed form.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "deft/core/tensor.h"
#include "deft/optim/optimizer.h"

namespace deft {

/// Base of the schedules. From its construction on it sets the learning rate of every group of an optimizer, which must
/// outlive it, as a function of the group's base learning rate and of the number of step() calls: one after each epoch,
/// or after each optimizer step, as the schedule counts. The base is the group's learning rate when the schedule is
/// made, PyTorch's "initial_lr", unless the schedule says otherwise.
class LRScheduler {
 public:
  virtual ~LRScheduler() = default;
  LRScheduler(const LRScheduler&) = delete;
  LRScheduler& operator=(const LRScheduler&) = delete;

  /// Throws Error when the optimizer has got more groups since the schedule was made.
  void step();
  /// Number of step() calls so far.
  std::int64_t last_step() const { return step_; }
  const Optimizer& optimizer() const { return optimizer_; }
  /// The base learning rate of each group.
  const std::vector<double>& base_lrs() const { return base_lrs_; }
  /// The learning rate after `step` calls of step(), for a group whose base is `base_lr`.
  virtual double lr_at(std::int64_t step, double base_lr) const = 0;
  /// The momentum of all groups (Adam: beta1) after `step` calls of step(); none where the schedule leaves it as it is.
  virtual std::optional<double> momentum_at(std::int64_t step) const;

  /// "step" (int64 scalar) and "base_lr" (float64, one per group).
  NamedTensors state_dict() const;
  /// Takes over the position and sets the learning rates that belong to it. Throws Error, having changed nothing,
  /// unless the state is of an optimizer with as many groups, and its step and learning rates are at least 0.
  void load_state_dict(const NamedTensors& state);

 protected:
  explicit LRScheduler(Optimizer& optimizer);
  /// `base_lrs` has one for each group.
  LRScheduler(Optimizer& optimizer, std::vector<double> base_lrs);

  /// Sets learning rates and momentum to their values at `step`; constructors end with apply(0).
  void apply(std::int64_t step);

 private:
  Optimizer& optimizer_;
  std::vector<double> base_lrs_;
  std::int64_t step_ = 0;
};

struct StepLROptions {
  std::int64_t step_size = 1;  ///< steps between two reductions
  double gamma = 0.1;
};

/// lr = base · gamma^⌊step / step_size⌋. Throws Error unless step_size is at least 1 and gamma at least 0.
class StepLR : public LRScheduler {
 public:
  explicit StepLR(Optimizer& optimizer, const StepLROptions& options = {});
  double lr_at(std::int64_t step, double base_lr) const override;

 private:
  StepLROptions options_;
};

struct MultiStepLROptions {
  std::vector<std::int64_t> milestones = {};  ///< steps of a reduction, in any order; equal ones count each
  double gamma = 0.1;
};

/// lr = base · gamma^(number of milestones ≤ step). Throws Error unless milestones and gamma are at least 0.
class MultiStepLR : public LRScheduler {
 public:
  MultiStepLR(Optimizer& optimizer, const MultiStepLROptions& options);
  double lr_at(std::int64_t step, double base_lr) const override;

 private:
  MultiStepLROptions options_;
};

struct CosineAnnealingLROptions {
  std::int64_t t_max = 1;  ///< steps from the first learning rate down to eta_min
  double eta_min = 0;
};

/// lr = eta_min + (base − eta_min) · (1 + cos(π · step / t_max)) / 2, SGDR's without restarts (Loshchilov & Hutter
/// 2016, arXiv:1608.03983). Throws Error unless t_max is at least 1 and eta_min at least 0.
class CosineAnnealingLR : public LRScheduler {
 public:
  CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options);
  double lr_at(std::int64_t step, double base_lr) const override;

 private:
  CosineAnnealingLROptions options_;
};

struct LinearWarmupOptions {
  double start_factor = 1.0 / 3;
  std::int64_t total_steps = 5;
};

/// lr = base · (start_factor + (1 − start_factor) · step / total_steps) up to total_steps, PyTorch's LinearLR; from
/// there on base, or what `after` gives, counting from 0, as in PyTorch's SequentialLR of the two. The base learning
/// rates are those of `after`, which must be of the same optimizer, and so is the momentum: at its first value until
/// `after` begins. `after` may itself be a warmup:
///
///     LinearWarmup schedule(optimizer, {.total_steps = 500},
///                           std::make_shared<CosineAnnealingLR>(optimizer, CosineAnnealingLROptions{.t_max = 9500}));
///
/// Throws Error unless start_factor is in (0, 1] and total_steps at least 1, and for an `after` of another optimizer.
class LinearWarmup : public LRScheduler {
 public:
  explicit LinearWarmup(Optimizer& optimizer, const LinearWarmupOptions& options = {},
                        std::shared_ptr<const LRScheduler> after = nullptr);
  double lr_at(std::int64_t step, double base_lr) const override;
  std::optional<double> momentum_at(std::int64_t step) const override;

 private:
  LinearWarmupOptions options_;
  std::shared_ptr<const LRScheduler> after_;
};

struct OneCycleLROptions {
  double max_lr = 0;             ///< of all groups
  std::int64_t total_steps = 0;  ///< optimizer steps of the whole training
  double pct_start = 0.3;        ///< share of the steps in which the learning rate rises
  bool linear = false;           ///< straight lines instead of half cosines
  bool cycle_momentum = true;  ///< momentum (Adam: beta1) falls while the learning rate rises, and rises while it falls
  double base_momentum = 0.85, max_momentum = 0.95;
  double div_factor = 25;         ///< first learning rate = max_lr / div_factor
  double final_div_factor = 1e4;  ///< last learning rate = first / final_div_factor
};

/// The 1cycle policy (Smith & Topin 2017, arXiv:1708.07120): from max_lr / div_factor up to max_lr and down to almost
/// nothing; the optimizer's own learning rate and momentum do not matter: the base is max_lr / div_factor. step() after
/// every optimizer step, at most total_steps times. Throws Error unless total_steps is at least 1, max_lr and the
/// factors are above 0, pct_start from 0 to 1 and the momenta at least 0 and below 1, and for cycle_momentum over an
/// optimizer that has none.
class OneCycleLR : public LRScheduler {
 public:
  OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options);
  double lr_at(std::int64_t step, double base_lr) const override;
  std::optional<double> momentum_at(std::int64_t step) const override;

 private:
  double between(std::int64_t step, double first, double peak, double last) const;

  OneCycleLROptions options_;
};

}  // namespace deft
