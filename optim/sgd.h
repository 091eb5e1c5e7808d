// Stochastic gradient descent, as torch.optim.SGD.
#pragma once

#include <vector>

#include "deft/optim/optimizer.h"

namespace deft {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;  ///< needs momentum, without dampening
};

/// With g = grad + weight_decay · p and buffer = g in the first step, else momentum · buffer + (1 − dampening) · g:
///   p −= lr · buffer, or with Nesterov momentum  p −= lr · (g + momentum · buffer).
/// State: "momentum_buffer", from the first step with momentum on. Throws Error for options out of range and for
/// parameters that cannot be trained.
class SGD : public Optimizer {
 public:
  explicit SGD(std::vector<Tensor> parameters, const SGDOptions& options = {});

  void add_parameter_group(std::vector<Tensor> parameters, const SGDOptions& options = {});

 private:
  void check(const Options& options) const override;
  void update(std::vector<Update>& updates, const Options& options) override;
};

}  // namespace deft
