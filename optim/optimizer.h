// What all optimizers have in common: groups of parameters with their options, and state that can be saved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "deft/core/tensor.h"

namespace deft {

/// Base of SGD, Adam and AdamW. It holds handles to parameters, in groups that have options of their own:
///
///     SGD optimizer(net.body.parameters(), {.lr = 0.01, .momentum = 0.9});
///     optimizer.add_parameter_group(net.head.parameters(), {.lr = 0.1, .momentum = 0.9});
///     …
///     optimizer.zero_grad();
///     loss.backward();
///     optimizer.step();
class Optimizer {
 public:
  /// Options of a group by name ("lr", "momentum", …); switches are 0 or 1.
  using Options = std::map<std::string, double>;

  struct Group {
    std::vector<Tensor> parameters;
    Options options;
  };

  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates every parameter that has a gradient, in place. Gradients are left as they are.
  void step();
  /// Clears the gradients of all parameters (they become undefined, not zero).
  void zero_grad();

  const std::vector<Group>& groups() const { return groups_; }
  /// An option of a group. Throws Error for an unknown group or name; set_option also, having changed nothing, for a
  /// value that the constructor would refuse.
  double option(std::size_t group, const std::string& name) const;
  void set_option(std::size_t group, const std::string& name, double value);
  double lr(std::size_t group = 0) const { return option(group, "lr"); }

  /// Options and state as tensors, for a file: "kind" (the optimizer's name as uint8 text), "group.0.lr" … (float64
  /// scalars), "state.3.step" (int64 scalar) and what the optimizer keeps, as "state.3.exp_avg", sharing its elements.
  /// Parameters count through all groups; state exists from a parameter's first step on.
  NamedTensors state_dict() const;
  /// Takes over options and state. Throws Error, having changed nothing, unless they are complete and come from an
  /// optimizer of the same kind over parameters of the same groups, shapes and types.
  void load_state_dict(const NamedTensors& state);

 protected:
  /// What is kept for one parameter.
  struct State {
    std::int64_t step = 0;  ///< steps taken, the current one included
    std::map<std::string, Tensor> tensors;
  };

  /// A tensor of the state: its name, and whether it is there from a parameter's first step on.
  struct StateTensor {
    const char* name;
    bool always = true;
  };

  /// `name` is the optimizer's, for messages and files; `state_tensors` is what it keeps for a parameter.
  Optimizer(const char* name, std::vector<StateTensor> state_tensors)
      : name_(name), state_tensors_(std::move(state_tensors)) {}

  /// Throws Error for options out of range, for no parameters, and for parameters that are undefined, not leaves, not
  /// floating or there already.
  void add_group(std::vector<Tensor> parameters, Options options);
  /// Throws Error unless the option is a number of at least `low`, and below `below`.
  void require_option(const Options& options, const char* option, double low, double below) const;
  /// A tensor of the state, like the parameter; zeros at first.
  static Tensor& state_tensor(State& state, const std::string& name, const Tensor& parameter);

  const char* name() const { return name_; }

  /// What a step works on.
  struct Update {
    Tensor parameter, grad;
    State* state;
  };

 private:
  /// Throws Error for options out of range.
  virtual void check(const Options& options) const = 0;
  /// Updates parameters of one type on one device, all at once. There is at least one.
  virtual void update(std::vector<Update>& updates, const Options& options) = 0;

  const char* name_;
  std::vector<StateTensor> state_tensors_;
  std::vector<Group> groups_;
  std::vector<State> states_;  // one per parameter, through all groups
};

}  // namespace deft
