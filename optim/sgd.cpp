#include "deft/optim/sgd.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "deft/core/dispatch.h"
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

void SGD::update(std::vector<Update>& updates, const Options& options) {
  kernels::SgdStep step;
  step.lr = options.at("lr");
  step.momentum = options.at("momentum");
  step.dampening = options.at("dampening");
  step.weight_decay = options.at("weight_decay");
  step.nesterov = options.at("nesterov") != 0;
  const Tensor first = updates.front().parameter;
  dispatch_floating(first, name(), [&]<class T>(auto place) {
    std::vector<kernels::SgdArrays<T>> arrays;
    for (Update& each : updates) {
      const bool is_first = each.state->tensors.count("momentum_buffer") == 0;
      T* buffer =
          step.momentum != 0 ? state_tensor(*each.state, "momentum_buffer", each.parameter).mutable_data<T>() : nullptr;
      arrays.push_back(
          {each.parameter.numel(), each.grad.data<T>(), buffer, each.parameter.mutable_data<T>(), is_first});
    }
    kernels::sgd_step<T>(place, step, arrays);
  });
}

}  // namespace deft
