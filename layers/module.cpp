#include "deft/layers/module.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "deft/core/autograd.h"
#include "deft/core/detail/replace_elements.h"
#include "deft/core/trace.h"
#include "deft/kernels/runtime/error.h"

namespace deft {

/// The block that all handles to a module share.
struct Module::State {
  using Slots = std::vector<std::pair<std::string, std::shared_ptr<Tensor>>>;

  std::string name;
  bool training = true;
  bool frozen = false;
  Slots parameters, buffers;
  std::vector<std::pair<std::string, std::shared_ptr<State>>> children;

  bool has(const std::string& key) const {
    const auto same = [&](const auto& entry) { return entry.first == key; };
    return std::any_of(parameters.begin(), parameters.end(), same) ||
           std::any_of(buffers.begin(), buffers.end(), same) || std::any_of(children.begin(), children.end(), same);
  }

  void require_free(const std::string& key) const {
    if (key.empty() || key.find('.') != std::string::npos) {
      throw Error(fmt::format("module: the name '{}' is empty or has a dot in it", key));
    }
    if (has(key)) throw Error(fmt::format("module: the name '{}' is taken", key));
  }

  // Calls visit(path, state) for this module and all below, parents first.
  template <class Visit>
  void walk(const std::string& path, Visit&& visit) {
    visit(path, *this);
    for (auto& [key, child] : children) child->walk(path.empty() ? key : path + "." + key, visit);
  }

  void collect(NamedTensors& into, Slots State::*slots) {
    walk("", [&](const std::string& path, State& state) {
      for (const auto& [key, slot] : state.*slots) {
        if (slot->defined()) into.emplace_back(path.empty() ? key : path + "." + key, *slot);
      }
    });
  }

  template <class Visit>
  void each_tensor(Visit&& visit) {
    walk("", [&](const std::string&, State& state) {
      for (Slots* slots : {&state.parameters, &state.buffers}) {
        for (auto& [key, slot] : *slots) {
          if (slot->defined()) visit(*slot);
        }
      }
    });
  }
};

struct Module::CloneMap {
  std::unordered_map<const State*, std::shared_ptr<State>> states;
  std::unordered_map<const Tensor*, std::shared_ptr<Tensor>> slots;
  std::unordered_map<const TensorImpl*, Tensor> tensors;  // several slots may hold one: tied weights
  CloneMap* outer = nullptr;

  static thread_local CloneMap* current;

  std::shared_ptr<Tensor> copy(const std::shared_ptr<Tensor>& slot) {
    auto& copied = slots[slot.get()];
    if (!copied) {
      copied = std::make_shared<Tensor>();
      if (slot->defined()) *copied = copy(*slot);
    }
    return copied;
  }

  Tensor copy(const Tensor& tensor) {
    Tensor& copied = tensors[tensor.impl()];
    if (!copied.defined()) copied = tensor.detach().clone().set_requires_grad(tensor.requires_grad());
    return copied;
  }

  std::shared_ptr<State> copy(const std::shared_ptr<State>& state) {
    if (const auto found = states.find(state.get()); found != states.end()) return found->second;
    auto copied = std::make_shared<State>(*state);
    states.emplace(state.get(), copied);
    for (State::Slots* list : {&copied->parameters, &copied->buffers}) {
      for (auto& [key, slot] : *list) slot = copy(slot);
    }
    for (auto& [key, child] : copied->children) child = copy(child);
    return copied;
  }
};

thread_local Module::CloneMap* Module::CloneMap::current = nullptr;

Module::CloneScope::CloneScope() : map_(std::make_unique<CloneMap>()) {
  map_->outer = CloneMap::current;
  CloneMap::current = map_.get();
}

Module::CloneScope::~CloneScope() { CloneMap::current = map_->outer; }

Parameter::Parameter(const Parameter& other) : slot_(other.slot_) {
  if (slot_ && Module::CloneMap::current) slot_ = Module::CloneMap::current->copy(slot_);
}

const Tensor& Parameter::get() const {
  if (!slot_) throw Error("parameter: it was not added to a module");
  return *slot_;
}

ModuleHolder::ModuleHolder(const ModuleHolder& other) : module_(other.module_), copy_(other.copy_) {
  if (Module::CloneMap::current) module_ = copy_(*module_);
}

Module::Module() : state_(std::make_shared<State>()) {}

Module::Module(const Module& other) : state_(other.state_) {
  if (CloneMap::current) state_ = CloneMap::current->copy(state_);
}

Tensor Module::forward(const Tensor&) {
  throw Error(fmt::format("module '{}': it does not override forward()", state_->name));
}

Tensor Module::operator()(const Tensor& input) {
  const ModuleScope scope(state_->name);
  return forward(input);
}

void Module::add_child(std::string name, const Module& child) {
  state_->require_free(name);
  child.state_->name = name;
  state_->children.emplace_back(std::move(name), child.state_);
}

void Module::replace_child(const std::string& name, const Module& member, const Module& child) {
  auto& children = state_->children;
  const auto found = std::find_if(children.begin(), children.end(), [&](const auto& c) { return c.first == name; });
  if (found == children.end()) throw Error(fmt::format("replace: the module has no child '{}'", name));
  if (found->second != member.state_) throw Error(fmt::format("replace: the member is not the child '{}'", name));
  child.state_->name = name;
  found->second = child.state_;
}

Parameter Module::add_parameter(std::string name, Tensor value) {
  state_->require_free(name);
  if (value.defined()) value.set_requires_grad();
  auto slot = std::make_shared<Tensor>(std::move(value));
  state_->parameters.emplace_back(std::move(name), slot);
  return Parameter(std::move(slot));
}

Parameter Module::add_buffer(std::string name, Tensor value) {
  state_->require_free(name);
  auto slot = std::make_shared<Tensor>(std::move(value));
  state_->buffers.emplace_back(std::move(name), slot);
  return Parameter(std::move(slot));
}

NamedTensors Module::named_parameters() const {
  NamedTensors result;
  state_->collect(result, &State::parameters);
  return result;
}

NamedTensors Module::named_buffers() const {
  NamedTensors result;
  state_->collect(result, &State::buffers);
  return result;
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> result;
  std::unordered_set<const TensorImpl*> seen;
  for (const auto& [path, tensor] : named_parameters()) {
    if (seen.insert(tensor.impl()).second) result.push_back(tensor);
  }
  return result;
}

std::int64_t Module::num_parameters() const {
  std::int64_t count = 0;
  for (const Tensor& parameter : parameters()) count += parameter.numel();
  return count;
}

NamedTensors Module::state_dict() const {
  NamedTensors result;
  for (auto& [path, tensor] : named_parameters()) result.emplace_back(path, tensor.detach());
  for (auto& [path, tensor] : named_buffers()) result.emplace_back(path, tensor.detach());
  return result;
}

void Module::load_state_dict(const NamedTensors& state, bool strict) {
  NamedTensors own = state_dict();
  const auto find = [](const NamedTensors& list, const std::string& name) {
    return std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.first == name; });
  };
  for (const auto& [name, value] : state) {
    const auto target = find(own, name);
    if (target == own.end()) {
      if (strict) throw Error(fmt::format("load_state_dict: '{}' is not part of this module", name));
    } else if (target->second.shape() != value.shape() || target->second.dtype() != value.dtype()) {
      throw Error(fmt::format("load_state_dict: '{}' is {} {}, expected {} {}", name, to_string(value.dtype()),
                              to_string(value.shape()), to_string(target->second.dtype()),
                              to_string(target->second.shape())));
    }
  }
  for (auto& [name, target] : own) {
    if (strict && find(state, name) == state.end()) throw Error(fmt::format("load_state_dict: '{}' is missing", name));
  }
  for (auto& [name, target] : own) {
    if (const auto source = find(state, name); source != state.end()) target.copy_(source->second);
  }
}

void Module::train(bool on) {
  state_->walk("", [on](const std::string&, State& state) { state.training = on; });
}

ModeScope::ModeScope(const Module& module, bool training) {
  const auto enter = [&](const auto& self, const std::shared_ptr<Module::State>& state) -> void {
    modes_.emplace_back(state, std::exchange(state->training, training));
    for (const auto& [key, child] : state->children) self(self, child);
  };
  enter(enter, module.state_);
}

ModeScope::~ModeScope() {
  for (auto mode = modes_.rbegin(); mode != modes_.rend(); ++mode) mode->first->training = mode->second;
}

bool Module::is_training() const { return state_->training; }

void Module::freeze(bool on) {
  state_->walk("", [on](const std::string&, State& state) {
    state.frozen = on;
    for (auto& [key, slot] : state.parameters) {
      if (slot->defined()) slot->set_requires_grad(!on);
    }
  });
}

bool Module::is_frozen() const { return state_->frozen; }

namespace {

template <class Target>
void convert(Tensor& tensor, Target target) {
  const NoGrad no_grad;
  Tensor grad = tensor.grad();
  tensor.set_grad({});
  detail::replace_elements(tensor, tensor.to(target));
  if (grad.defined()) tensor.set_grad(grad.to(target));
}

}  // namespace

void Module::to(Device device) {
  require_device(device);
  state_->each_tensor([device](Tensor& tensor) { convert(tensor, device); });
}

void Module::to(DType dtype) {
  if (!is_floating(dtype)) throw Error(fmt::format("to: dtype is {}, expected float32 or float64", to_string(dtype)));
  state_->each_tensor([dtype](Tensor& tensor) {
    if (is_floating(tensor.dtype())) convert(tensor, dtype);
  });
}

void Module::zero_grad() {
  for (Tensor& parameter : parameters()) parameter.set_grad({});
}

const std::string& Module::name() const { return state_->name; }

}  // namespace deft
