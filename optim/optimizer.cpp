#include "deft/optim/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "deft/core/autograd.h"
#include "deft/kernels/runtime/error.h"
#include "deft/optim/detail/alike.h"

namespace deft {
namespace {

// On the CPU, where they are read.
const TensorOptions number{.dtype = DType::float64, .device = Device::cpu()};
const TensorOptions count{.dtype = DType::int64, .device = Device::cpu()};

// "state.12.exp_avg" in its parts; an index of -1 when it has another form.
struct StateName {
  std::string kind, rest;
  std::int64_t index = -1;
};

StateName parse(const std::string& name) {
  StateName result;
  const std::size_t first = name.find('.');
  const std::size_t second = first == std::string::npos ? first : name.find('.', first + 1);
  if (second == std::string::npos) return result;
  result.kind = name.substr(0, first);
  result.rest = name.substr(second + 1);
  const auto [end, error] = std::from_chars(name.data() + first + 1, name.data() + second, result.index);
  if (error != std::errc() || end != name.data() + second) result.index = -1;
  return result;
}

Tensor as_tensor(const std::string& text) {
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  return from_vector(bytes, {static_cast<std::int64_t>(bytes.size())}, Device::cpu());
}

// The kind of optimizer that `state` is of; empty when it does not say so.
std::string kind_of(const NamedTensors& state) {
  for (const auto& [name, value] : state) {
    if (name != "kind" || value.dtype() != DType::uint8) continue;
    const auto text = value.to_vector<std::uint8_t>();
    return {text.begin(), text.end()};
  }
  return "";
}

}  // namespace

void Optimizer::add_group(std::vector<Tensor> parameters, Options options) {
  check(options);
  if (parameters.empty()) throw Error(fmt::format("{}: there are no parameters", name_));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto require = [&](bool ok, const char* what) {
      if (!ok) throw Error(fmt::format("{}: parameter {} of the group {}", name_, i, what));
    };
    const Tensor& parameter = parameters[i];
    require(parameter.defined(), "is undefined");
    require(is_floating(parameter.dtype()), "is not of a floating type");
    require(parameter.is_leaf(), "is the result of an operation, expected a leaf");
    bool is_new = true;
    for (std::size_t j = 0; j < i; ++j) is_new = is_new && parameters[j].impl() != parameter.impl();
    for (const Group& group : groups_) {
      for (const Tensor& known : group.parameters) is_new = is_new && known.impl() != parameter.impl();
    }
    require(is_new, "is there already");
  }
  states_.resize(states_.size() + parameters.size());
  groups_.push_back({std::move(parameters), std::move(options)});
}

void Optimizer::require_option(const Options& options, const char* option, double low, double below) const {
  const double value = options.at(option);
  if (value >= low && value < below) return;
  throw Error(fmt::format("{}: {} is {}, expected at least {}{}", name_, option, value, low,
                          std::isinf(below) ? "" : fmt::format(" and below {}", below)));
}

Tensor& Optimizer::state_tensor(State& state, const std::string& name, const Tensor& parameter) {
  Tensor& tensor = state.tensors[name];
  if (!tensor.defined()) {
    tensor = zeros(parameter.shape(), {parameter.dtype(), parameter.device()});
  } else {
    tensor = tensor.to(parameter.dtype()).to(parameter.device());  // the parameter may have moved
  }
  return tensor;
}

void Optimizer::step() {
  const NoGrad no_grad;
  std::size_t i = 0;
  for (Group& group : groups_) {
    std::vector<Update> updates;
    for (const Tensor& parameter : group.parameters) {
      State& state = states_[i++];
      const Tensor grad = parameter.grad();
      if (!grad.defined()) continue;
      ++state.step;
      updates.push_back({parameter, grad, &state});
    }
    for_alike(
        std::move(updates), [](const Update& each) -> const Tensor& { return each.parameter; },
        [&](std::vector<Update>& alike, const Tensor&) { update(alike, group.options); });
  }
}

void Optimizer::zero_grad() {
  for (Group& group : groups_) {
    for (Tensor& parameter : group.parameters) parameter.set_grad({});
  }
}

double Optimizer::option(std::size_t group, const std::string& name) const {
  if (group >= groups_.size()) {
    throw Error(fmt::format("{}: group is {}, expected below {}", name_, group, groups_.size()));
  }
  const Options& options = groups_[group].options;
  const auto found = options.find(name);
  if (found == options.end()) throw Error(fmt::format("{}: it has no option '{}'", name_, name));
  return found->second;
}

void Optimizer::set_option(std::size_t group, const std::string& name, double value) {
  option(group, name);
  Options changed = groups_[group].options;
  changed[name] = value;
  check(changed);
  groups_[group].options = std::move(changed);
}

NamedTensors Optimizer::state_dict() const {
  NamedTensors result{{"kind", as_tensor(name_)}};
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    for (const auto& [name, value] : groups_[i].options) {
      result.emplace_back(fmt::format("group.{}.{}", i, name), full(Shape{}, value, number));
    }
  }
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].step == 0) continue;
    result.emplace_back(fmt::format("state.{}.step", i), full(Shape{}, static_cast<double>(states_[i].step), count));
    for (const auto& [name, tensor] : states_[i].tensors) {
      result.emplace_back(fmt::format("state.{}.{}", i, name), tensor);
    }
  }
  return result;
}

void Optimizer::load_state_dict(const NamedTensors& state) {
  std::vector<const Tensor*> parameters;
  std::vector<Options> options(groups_.size());
  std::vector<State> states(states_.size());
  for (const Group& group : groups_) {
    for (const Tensor& parameter : group.parameters) parameters.push_back(&parameter);
  }
  const auto require = [&](bool ok, const std::string& name, const std::string& what) {
    if (!ok) throw Error(fmt::format("{}: load_state_dict: '{}' {}", name_, name, what));
  };
  const auto require_tensor = [&](const std::string& name, const Tensor& value, const Shape& shape, DType dtype) {
    require(value.shape() == shape && value.dtype() == dtype, name,
            fmt::format("is {} {}, expected {} {}", to_string(value.dtype()), to_string(value.shape()),
                        to_string(dtype), to_string(shape)));
  };
  const auto keeps = [&](const std::string& name) {
    return std::any_of(state_tensors_.begin(), state_tensors_.end(),
                       [&](const StateTensor& kept) { return name == kept.name; });
  };
  const std::string kind = kind_of(state);
  require(!kind.empty(), "kind", "is missing");
  require(kind == name_, "kind", fmt::format("is {}, expected {}", kind, name_));
  for (const auto& [name, value] : state) {
    const StateName parsed = parse(name);
    const auto i = static_cast<std::size_t>(parsed.index);
    if (parsed.kind == "group" && i < groups_.size() && groups_[i].options.count(parsed.rest) == 1) {
      require_tensor(name, value, {}, DType::float64);
      options[i][parsed.rest] = value.item();
    } else if (parsed.kind == "state" && i < parameters.size() && parsed.rest == "step") {
      require_tensor(name, value, {}, DType::int64);
      states[i].step = value.item<std::int64_t>();
      require(states[i].step >= 1, name, fmt::format("is {}, expected at least 1", states[i].step));
    } else if (parsed.kind == "state" && i < parameters.size() && keeps(parsed.rest)) {
      require_tensor(name, value, parameters[i]->shape(), parameters[i]->dtype());
      states[i].tensors[parsed.rest] = value.detach().clone().to(parameters[i]->device());
    } else {
      require(name == "kind", name, "is not part of this optimizer");
    }
  }
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    for (const auto& [name, value] : groups_[i].options) {
      require(options[i].count(name) == 1, fmt::format("group.{}.{}", i, name), "is missing");
    }
    check(options[i]);
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto& [step, tensors] = states[i];
    require(step > 0 || tensors.empty(), fmt::format("state.{}.step", i), "is missing");
    for (const auto& [name, always] : state_tensors_) {
      require(step == 0 || !always || tensors.count(name) == 1, fmt::format("state.{}.{}", i, name), "is missing");
    }
  }
  for (std::size_t i = 0; i < groups_.size(); ++i) groups_[i].options = std::move(options[i]);
  states_ = std::move(states);
}

}  // namespace deft
