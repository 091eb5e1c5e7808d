// The module of flatten (core/shape_ops.h).
#pragma once

#include "deft/core/shape_ops.h"
#include "deft/layers/module.h"

namespace deft {

struct FlattenOptions {
  int start_axis = 1;
  int end_axis = -1;
};

/// Merges axes into one, by default all but the batch: [N, H, W, C] to [N, H·W·C]. The channel runs fastest, so that
/// the weight of a linear layer that follows has its columns in another order than in PyTorch, where the pixel does.
class Flatten : public Module {
 public:
  explicit Flatten(const FlattenOptions& options = {}) : options_(options) {}

  Tensor forward(const Tensor& input) override { return flatten(input, options_.start_axis, options_.end_axis); }
  const FlattenOptions& options() const { return options_; }

 private:
  FlattenOptions options_;
};

}  // namespace deft
