// Modules one after another.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "deft/layers/module.h"

namespace deft {

/// Calls its modules in order, each on the result of the one before. They are named "0", "1", … unless given names:
///
///     Sequential net(Conv2d(1, 8, {.kernel_size = 3}), ReLU(), Flatten());
class Sequential : public Module {
 public:
  template <class... M>
  explicit Sequential(M... modules) {
    (append(std::move(modules)), ...);
  }

  /// Adds a module at the end, named by its position.
  template <class M>
  void append(M module) {
    append(std::to_string(modules_.size()), std::move(module));
  }
  /// Adds a module at the end under `name`. Throws Error for a name that is taken, empty, or has a dot in it.
  template <class M>
  void append(std::string name, M module) {
    modules_.emplace_back(add(std::move(name), std::move(module)));
  }

  std::size_t size() const { return modules_.size(); }
  /// The module at position `i`. Throws std::out_of_range beyond the end.
  Module& operator[](std::size_t i) const { return *modules_.at(i); }

  Tensor forward(const Tensor& input) override;

 private:
  std::vector<ModuleHolder> modules_;
};

}  // namespace deft
