// AdamW: Adam with decoupled weight decay (Loshchilov & Hutter 2017, arXiv:1711.05101), as torch.optim.AdamW.
#pragma once

#include <array>
#include <vector>

#include "deft/optim/adam.h"

namespace deft {

struct AdamWOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0.01;  ///< shrinks the parameter itself: p *= 1 − lr · weight_decay
};

/// Shrinks each parameter, then takes Adam's step without weight decay. State and errors as for Adam.
class AdamW : public Adam {
 public:
  explicit AdamW(std::vector<Tensor> parameters, const AdamWOptions& options = {});

  void add_parameter_group(std::vector<Tensor> parameters, const AdamWOptions& options = {});
};

}  // namespace deft
