// Modules: the building blocks of models, holding parameters, buffers and other modules.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "deft/core/tensor.h"

namespace deft {

/// A tensor that belongs to a module: a handle to its place there, so that loading, moving and cloning reach every
/// copy. Converts to the tensor. May hold an undefined tensor (an absent bias).
class Parameter {
 public:
  Parameter() = default;
  Parameter(const Parameter& other);
  Parameter& operator=(const Parameter& other) = default;

  const Tensor& get() const;
  operator const Tensor&() const { return get(); }
  const Tensor* operator->() const { return &get(); }
  bool defined() const { return slot_ && slot_->defined(); }

 private:
  friend class Module;
  explicit Parameter(std::shared_ptr<Tensor> slot) : slot_(std::move(slot)) {}

  std::shared_ptr<Tensor> slot_;
};

/// Base of all layers and models. A module is a handle: copying it copies the handle, and both stand for the same
/// parameters; clone() copies deeply. A model derives from it, declares its parts as members through `add`, and
/// overrides forward():
///
///     struct Net : deft::Module {
///       deft::Linear fc = add("fc", deft::Linear(32, 10));
///       deft::Tensor forward(const deft::Tensor& x) override { return relu(fc(x)); }
///     };
///
/// Modules cannot be assigned, since that would change a member and not what its parent trains and saves: see
/// replace().
class Module {
 public:
  Module();
  Module(const Module& other);
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  /// The layer's function. Called through operator(), which knows the module's name.
  virtual Tensor forward(const Tensor& input);
  /// Runs forward() under this module's name, for traces and messages.
  Tensor operator()(const Tensor& input);

  /// Parameters by path ("conv2.offset_conv.weight"), in the order in which they were added; absent ones left out.
  NamedTensors named_parameters() const;
  /// The same without names, each tensor once, however many names it has (modules added twice, tied weights).
  std::vector<Tensor> parameters() const;
  /// Like named_parameters for buffers: state that is not trained (running statistics).
  NamedTensors named_buffers() const;
  /// Number of trained values, each tensor counted once.
  std::int64_t num_parameters() const;

  /// Parameters and buffers by path. The tensors share their elements with the module.
  NamedTensors state_dict() const;
  /// Copies the values of `state` into the parameters and buffers. Throws Error, having changed nothing, when a name is
  /// missing or unexpected or a shape or type differs; with `strict` false, missing and unexpected names are passed
  /// over.
  void load_state_dict(const NamedTensors& state, bool strict = true);

  /// Training mode (the initial one) or evaluation mode, for this module and all below. Only changes what dropout and
  /// batch norm do.
  void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const;

  /// Turns gradients off for all parameters, here and below, and fixes running statistics, whatever the mode.
  void freeze(bool on = true);
  bool is_frozen() const;

  /// Moves all parameters and buffers; tensors obtained before (by an optimizer) move too.
  void to(Device device);
  /// Converts all floating parameters and buffers.
  void to(DType dtype);
  /// Clears all gradients.
  void zero_grad();

  /// Puts `child` in the place of the child `name`, in the list of children and in the member that stands for it:
  ///
  ///     net.replace("fc", net.fc, deft::Linear(32, 4));
  ///
  /// Copies of this handle made before keep the old member. Throws Error, having changed nothing, unless `member` is
  /// the child of that name.
  template <class M>
  void replace(const std::string& name, M& member, M child) {
    replace_child(name, member, child);
    reseat(member, child);
  }

  /// The name under which a parent added this module; empty for a root.
  const std::string& name() const;

 protected:
  /// Registers a child and returns it for the member. Throws Error for a name that is taken, empty, or has a dot in it.
  template <class M>
  M add(std::string name, M child) {
    add_child(std::move(name), child);
    return child;
  }
  /// Registers a trained tensor; an undefined one keeps its place (an absent bias).
  Parameter add_parameter(std::string name, Tensor value);
  /// Registers a tensor that is saved and moved but not trained.
  Parameter add_buffer(std::string name, Tensor value);

 private:
  template <class M>
  friend M clone(const M& module);
  friend class Parameter;
  friend class ModuleHolder;
  friend class ModeScope;
  struct State;
  class CloneScope;
  struct CloneMap;

  void add_child(std::string name, const Module& child);
  void replace_child(const std::string& name, const Module& member, const Module& child);

  // Modules have no assignment. Copying a handle fails only for want of memory, which then ends the program: there is
  // no way back to the old member.
  template <class M>
  static void reseat(M& member, const M& child) noexcept {
    std::destroy_at(&member);
    std::construct_at(&member, child);
  }

  std::shared_ptr<State> state_;
};

/// While one lives, copying a module or parameter on this thread yields deep copies. Used by clone().
class Module::CloneScope {
 public:
  CloneScope();
  ~CloneScope();
  CloneScope(const CloneScope&) = delete;
  CloneScope& operator=(const CloneScope&) = delete;

 private:
  std::unique_ptr<CloneMap> map_;
};

/// A deep copy: parameters, buffers, modes and all members of its own; gradients are not copied.
template <class M>
M clone(const M& module) {
  const Module::CloneScope scope;
  return M(module);
}

/// While one lives, the module and all below are in training or in evaluation mode; afterwards each is in the mode it
/// had.
class ModeScope {
 public:
  ModeScope(const Module& module, bool training);
  ~ModeScope();
  ModeScope(const ModeScope&) = delete;
  ModeScope& operator=(const ModeScope&) = delete;

 private:
  std::vector<std::pair<std::shared_ptr<Module::State>, bool>> modes_;
};

/// A ModeScope of evaluation mode.
class EvalScope : public ModeScope {
 public:
  explicit EvalScope(const Module& module) : ModeScope(module, false) {}
};

/// A module of any type, as Sequential keeps it. Copying copies the handle.
class ModuleHolder {
 public:
  template <class M>
  explicit ModuleHolder(M module)
      : module_(std::make_shared<M>(std::move(module))), copy_([](const Module& source) -> std::shared_ptr<Module> {
          return std::make_shared<M>(static_cast<const M&>(source));
        }) {}
  ModuleHolder(const ModuleHolder& other);
  ModuleHolder& operator=(const ModuleHolder& other) = default;

  Module& operator*() const { return *module_; }
  Module* operator->() const { return module_.get(); }

 private:
  std::shared_ptr<Module> module_;
  std::shared_ptr<Module> (*copy_)(const Module&);
};

}  // namespace deft
