#include "deft/optim/sgd.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "deft/kernels/dispatch.h"
#include "deft/kernels/dtype.h"
#include "deft/kernels/optimizer_step.h"

namespace deft {

SGD::SGD(std::vector<Tensor> parameters, const SGDOptions& options) : Optimizer("SGD", {{"momentum_buffer", false}}) {
  add_parameter_group(std::move(parameters), options);
}

void SGD::add_parameter_group(std::vector<Tensor> parameters, const SGDOptions& o) {
  add_group(std::move(parameters), {{"lr", o.lr},
                                    {"momentum", o.momentum},
                                    {"dampening", o.dampening},
                                    {"weight_decay", o.weight_decay},
                                    {"nesterov", o.nesterov ? 1.0 : 0.0}});
}

void SGD::check(const Options& options) const {
  constexpr double unlimited = std::numeric_limits<double>::infinity();
  require_option(options, "lr", 0, unlimited);
  require_option(options, "momentum", 0, unlimited);
  require_option(options, "weight_decay", 0, unlimited);
  const double momentum = options.at("momentum"), dampening = options.at("dampening");
  if (options.at("nesterov") != 0 && (momentum == 0 || dampening != 0)) {
    throw Error(fmt::format("SGD: nesterov with momentum {} and dampening {}, expected a momentum and no dampening",
                            momentum, dampening));
  }
}

void SGD::update(Tensor& parameter, const Tensor& grad, const Options& options, State& state) {
  kernels::SgdStep step;
  step.lr = options.at("lr");
  step.momentum = options.at("momentum");
  step.dampening = options.at("dampening");
  step.weight_decay = options.at("weight_decay");
  step.nesterov = options.at("nesterov") != 0;
  step.first = state.tensors.count("momentum_buffer") == 0;
  Tensor buffer = step.momentum != 0 ? state_tensor(state, "momentum_buffer", parameter) : Tensor();
  on_device(parameter.device(), [&](auto device) {
    visit_floating(parameter.dtype(), "SGD", [&](auto type) {
      using T = typename decltype(type)::type;
      kernels::sgd_step<T>(device, parameter.numel(), step, grad.data<T>(),
                           buffer.defined() ? buffer.mutable_data<T>() : nullptr, parameter.mutable_data<T>());
    });
  });
}

}  // namespace deft
