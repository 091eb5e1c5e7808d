#include "deft/optim/adam.h"

#include <limits>
#include <utility>

#include "deft/kernels/dispatch.h"
#include "deft/kernels/dtype.h"
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

void Adam::update(Tensor& parameter, const Tensor& grad, const Options& options, State& state) {
  kernels::AdamStep step;
  step.lr = options.at("lr");
  step.beta1 = options.at("beta1");
  step.beta2 = options.at("beta2");
  step.eps = options.at("eps");
  step.weight_decay = options.at("weight_decay");
  step.decoupled = decoupled_;
  step.step = state.step;
  Tensor& m = state_tensor(state, "exp_avg", parameter);
  Tensor& v = state_tensor(state, "exp_avg_sq", parameter);
  on_device(parameter.device(), [&](auto device) {
    visit_floating(parameter.dtype(), name(), [&](auto type) {
      using T = typename decltype(type)::type;
      kernels::adam_step<T>(device, parameter.numel(), step, grad.data<T>(), m.mutable_data<T>(), v.mutable_data<T>(),
                            parameter.mutable_data<T>());
    });
  });
}

}  // namespace deft
