// Batch normalisation (Ioffe & Szegedy 2015, arXiv:1502.03167), as PyTorch's batch_norm.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>

#include "deft/core/autograd.h"
#include "deft/layers/module.h"

namespace deft {

/// What batch_norm takes besides its input; every tensor is [C] or undefined.
struct BatchNormArguments {
  Tensor running_mean = {}, running_var = {};  ///< updated in training, used otherwise
  Tensor weight = {}, bias = {};               ///< undefined: 1 and 0
  bool training = false;
  double momentum = 0.1;  ///< running = (1 − momentum) · running + momentum · batch, with the unbiased variance
  double eps = 1e-5;
};

/// (input − mean) / √(var + eps) · weight + bias for an input [..., C], with mean and biased variance of the batch in
/// training, else the running ones. Differentiable in input, weight and bias. Throws Error for shapes and types that do
/// not fit, for missing running statistics outside training, and for a single value per channel in training.
Tensor batch_norm(const Tensor& input, const BatchNormArguments& arguments = {});

struct BatchNorm2dOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  bool affine = true;               ///< weight (initially 1) and bias (initially 0)
  bool track_running_stats = true;  ///< without, evaluation takes the batch's statistics too
};

/// batch_norm over images [N, H, W, channels]. Parameters "weight" and "bias", buffers "running_mean" and
/// "running_var". In evaluation and while frozen it uses the running statistics and leaves them as they are.
class BatchNorm2d : public Module {
 public:
  /// Throws Error unless channels is at least 1.
  explicit BatchNorm2d(std::int64_t channels, const BatchNorm2dOptions& options = {});

  Tensor forward(const Tensor& input) override;
  const BatchNorm2dOptions& options() const { return options_; }

  Parameter weight, bias, running_mean, running_var;

 private:
  BatchNorm2dOptions options_;
};

/// Takes the running statistics of a model's BatchNorm2d modules anew: while one lives, they average the statistics of
/// the forward passes on this thread, each pass with the same weight, and commit() makes the averages the running
/// statistics. Until then, and without it, those stay as they are. Frozen modules keep theirs. Meanwhile the model is
/// in training mode; afterwards each module is in the mode it had.
class BatchNormUpdate {
 public:
  explicit BatchNormUpdate(const Module& model);
  ~BatchNormUpdate();
  BatchNormUpdate(const BatchNormUpdate&) = delete;
  BatchNormUpdate& operator=(const BatchNormUpdate&) = delete;

  /// Whether no forward pass has gone through a BatchNorm2d that is not frozen.
  bool empty() const;
  /// Throws Error when it is empty.
  void commit();

 private:
  friend class BatchNorm2d;
  struct State;

  ModeScope training_;
  std::unique_ptr<State> state_;
};

/// Takes the running statistics of a model's BatchNorm2d modules anew, as averages over `batches`, a range of input
/// tensors or of structs with a member `images`, like DataLoader::epoch(). Weights that have just been trained,
/// averaged or loaded may be far from running statistics of momentum. Throws what the model throws, and Error when it
/// has no BatchNorm2d that is not frozen and when there are no batches; nothing has changed then. The function of
/// PyTorch's torch.optim.swa_utils:
///
///     update_bn(loader.epoch(0), net);
template <class Batches>
void update_bn(Batches&& batches, Module& model) {
  BatchNormUpdate update(model);
  const NoGrad no_grad;
  for (const auto& batch : batches) {
    if constexpr (std::convertible_to<decltype(batch), const Tensor&>) {
      model(batch);
    } else {
      model(batch.images);
    }
  }
  update.commit();
}

}  // namespace deft
