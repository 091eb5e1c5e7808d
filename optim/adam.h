// Adam (Kingma & Ba 2014, arXiv:1412.6980), as torch.optim.Adam.
#pragma once

#include <array>
#include <vector>

#include "deft/optim/optimizer.h"

namespace deft {

struct AdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;  ///< added to the gradient, as weight_decay · p
};

/// With g = grad + weight_decay · p, m = β₁ · m + (1 − β₁) · g, v = β₂ · v + (1 − β₂) · g², in step t of the parameter:
///   p −= lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + eps).
/// State: "exp_avg" (m), "exp_avg_sq" (v); options "beta1", "beta2". Throws Error for options out of range and for
/// parameters that cannot be trained.
class Adam : public Optimizer {
 public:
  explicit Adam(std::vector<Tensor> parameters, const AdamOptions& options = {});

  void add_parameter_group(std::vector<Tensor> parameters, const AdamOptions& options = {});

 protected:
  /// For AdamW, whose weight decay is decoupled from the gradient.
  Adam(const char* name, bool decoupled);

 private:
  void check(const Options& options) const override;
  void update(std::vector<Update>& updates, const Options& options) override;

  bool decoupled_ = false;
};

}  // namespace deft
