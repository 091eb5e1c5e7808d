#include "deft/optim/adam.h"

#include <limits>
#include <utility>

#include "deft/core/dispatch.h"
#include "deft/kernels/optimizer_step.h"

namespace deft {

Adam::Adam(std::vector<Tensor> parameters, const AdamOptions& options) : Adam("Adam", false) {
  add_parameter_group(std::move(parameters), options);
}

Adam::Adam(const char* name, bool decoupled) : Optimizer(name, {{"exp_avg"}, {"exp_avg_sq"}}), decoupled_(decoupled) {}

void Adam::add_parameter_group(std::vector<Tensor> parameters, const AdamOptions& o) {
  add_group(
      std::move(parameters),
      {{"lr", o.lr}, {"beta1", o.betas[0]}, {"beta2", o.betas[1]}, {"eps", o.eps}, {"weight_decay", o.weight_decay}});
}

void Adam::check(const Options& options) const {
  constexpr double unlimited = std::numeric_limits<double>::infinity();
  require_option(options, "lr", 0, unlimited);
  require_option(options, "beta1", 0, 1);
  require_option(options, "beta2", 0, 1);
  require_option(options, "eps", 0, unlimited);
  require_option(options, "weight_decay", 0, unlimited);
}

void Adam::update(std::vector<Update>& updates, const Options& options) {
  kernels::AdamStep step;
  step.lr = options.at("lr");
  step.beta1 = options.at("beta1");
  step.beta2 = options.at("beta2");
  step.eps = options.at("eps");
  step.weight_decay = options.at("weight_decay");
  step.decoupled = decoupled_;
  const Tensor first = updates.front().parameter;
  dispatch_floating(first, name(), [&]<class T>(auto place) {
    std::vector<kernels::AdamArrays<T>> arrays;
    for (Update& each : updates) {
      Tensor& m = state_tensor(*each.state, "exp_avg", each.parameter);
      Tensor& v = state_tensor(*each.state, "exp_avg_sq", each.parameter);
      arrays.push_back({each.parameter.numel(), each.grad.data<T>(), m.mutable_data<T>(), v.mutable_data<T>(),
                        each.parameter.mutable_data<T>(), each.state->step});
    }
    kernels::adam_step<T>(place, step, arrays);
  });
}

}  // namespace deft
