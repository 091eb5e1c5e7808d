#include "deft/layers/batch_norm2d.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "deft/core/autograd.h"
#include "deft/core/checks.h"
#include "deft/core/detail/optional_data.h"
#include "deft/core/dispatch.h"
#include "deft/kernels/batch_norm.h"

namespace deft {
namespace {

void check(const Tensor& input, const BatchNormArguments& a) {
  if (input.dim() < 2) {
    throw Error(fmt::format("batch_norm: input is {}, expected [..., C]", to_string(input.shape())));
  }
  require_same_kind("batch_norm", {{"input", input},
                                   {"running_mean", a.running_mean},
                                   {"running_var", a.running_var},
                                   {"weight", a.weight},
                                   {"bias", a.bias}});
  const std::int64_t channels = input.size(-1);
  const auto require_per_channel = [&](const char* name, const Tensor& tensor) {
    if (tensor.defined() && tensor.shape() != Shape{channels}) {
      throw Error(fmt::format("batch_norm: {} is {}, expected [{}] (channels of input {})", name,
                              to_string(tensor.shape()), channels, to_string(input.shape())));
    }
  };
  require_per_channel("running_mean", a.running_mean);
  require_per_channel("running_var", a.running_var);
  require_per_channel("weight", a.weight);
  require_per_channel("bias", a.bias);
  if (!a.training && !(a.running_mean.defined() && a.running_var.defined())) {
    throw Error("batch_norm: running_mean or running_var is undefined, expected both outside training");
  }
  if (a.training && channels > 0 && input.numel() == channels) {
    throw Error(fmt::format("batch_norm: input is {}, expected more than one value per channel in training",
                            to_string(input.shape())));
  }
}

// Gradients with respect to input, weight, bias; the running statistics have none.
std::vector<Tensor> gradients(const BackwardContext& context, const kernels::BatchNormShape& shape, bool training) {
  const Tensor &grad_output = context.grad(), &input = context.saved(0), &mean = context.saved(1);
  const Tensor &inv_std = context.saved(2), &weight = context.saved(3);
  Tensor grad_input, grad_weight, grad_bias;
  if (context.needs(0)) grad_input = empty_like(input);
  if (context.needs(1)) grad_weight = empty_like(mean);
  if (context.needs(2)) grad_bias = empty_like(mean);
  dispatch_floating(input, "batch_norm", [&]<class T>(auto place) {
    kernels::batch_norm_backward<T>(place, shape, training, grad_output.data<T>(), input.data<T>(), mean.data<T>(),
                                    inv_std.data<T>(), data_or_null<T>(weight),
                                    {mutable_data_or_null<T>(grad_input), mutable_data_or_null<T>(grad_weight),
                                     mutable_data_or_null<T>(grad_bias)});
  });
  return {grad_input, grad_weight, grad_bias, Tensor(), Tensor()};
}

}  // namespace

Tensor batch_norm(const Tensor& input, const BatchNormArguments& a) {
  check(input, a);
  const std::int64_t channels = input.size(-1);
  const kernels::BatchNormShape shape{channels > 0 ? input.numel() / channels : 0, channels};
  const bool training = a.training;
  Tensor output = empty_like(input);
  Tensor inv_std = empty({channels}, {input.dtype(), input.device()});
  Tensor mean = training ? empty_like(inv_std) : a.running_mean;
  dispatch_floating(input, "batch_norm", [&]<class T>(auto place) {
    const T *weight = data_or_null<T>(a.weight), *bias = data_or_null<T>(a.bias);
    T *inv_std_data = inv_std.mutable_data<T>(), *output_data = output.mutable_data<T>();
    if (training) {
      const kernels::RunningStatistics<T> running{mutable_data_or_null<T>(a.running_mean),
                                                  mutable_data_or_null<T>(a.running_var), a.momentum};
      kernels::batch_norm_forward_training<T>(place, shape, input.data<T>(), weight, bias, a.eps, running,
                                              mean.mutable_data<T>(), inv_std_data, output_data);
    } else {
      kernels::batch_norm_forward_inference<T>(place, shape, input.data<T>(), weight, bias, a.eps, mean.data<T>(),
                                               a.running_var.data<T>(), inv_std_data, output_data);
    }
  });
  record("batch_norm", {input, a.weight, a.bias, a.running_mean, a.running_var},
         {{"training", training}, {"momentum", a.momentum}, {"eps", a.eps}}, {output},
         {.saved = {input, mean, inv_std, a.weight},
          .apply = [shape, training](const BackwardContext& context) { return gradients(context, shape, training); }});
  return output;
}

BatchNorm2d::BatchNorm2d(std::int64_t channels, const BatchNorm2dOptions& options) : options_(options) {
  if (channels < 1) throw Error(fmt::format("BatchNorm2d: channels is {}, expected at least 1", channels));
  weight = add_parameter("weight", options.affine ? ones({channels}) : Tensor());
  bias = add_parameter("bias", options.affine ? zeros({channels}) : Tensor());
  running_mean = add_buffer("running_mean", options.track_running_stats ? zeros({channels}) : Tensor());
  running_var = add_buffer("running_var", options.track_running_stats ? ones({channels}) : Tensor());
}

/// The averages of the modules that have been passed through, by their running mean.
struct BatchNormUpdate::State {
  struct Average {
    Tensor running_mean, running_var;  // of the module
    Tensor mean, var;                  // [C]
    std::int64_t passes = 0;
  };

  std::unordered_set<const TensorImpl*> buffers;  // of the model
  std::unordered_map<const TensorImpl*, Average> averages;
  State* outer = nullptr;

  static thread_local State* current;

  // The average that a pass through a module in training enters; null where none is taken.
  static Average* enter(const Tensor& running_mean, const Tensor& running_var) {
    if (current == nullptr || !running_mean.defined() || !current->buffers.contains(running_mean.impl()))
      return nullptr;
    Average& average = current->averages[running_mean.impl()];
    if (average.passes == 0) {
      average = {running_mean, running_var, zeros_like(running_mean), zeros_like(running_var)};
    }
    return &average;
  }
};

thread_local BatchNormUpdate::State* BatchNormUpdate::State::current = nullptr;

BatchNormUpdate::BatchNormUpdate(const Module& model) : training_(model, true), state_(std::make_unique<State>()) {
  for (const auto& [path, buffer] : model.named_buffers()) state_->buffers.insert(buffer.impl());
  state_->outer = std::exchange(State::current, state_.get());
}

BatchNormUpdate::~BatchNormUpdate() { State::current = state_->outer; }

bool BatchNormUpdate::empty() const {
  return std::none_of(state_->averages.begin(), state_->averages.end(),
                      [](const auto& entry) { return entry.second.passes > 0; });
}

void BatchNormUpdate::commit() {
  if (empty()) throw Error("update_bn: no batch has passed through a BatchNorm2d that is not frozen");
  const NoGrad no_grad;
  for (auto& [key, average] : state_->averages) {
    if (average.passes == 0) continue;
    average.running_mean.copy_(average.mean);
    average.running_var.copy_(average.var);
  }
}

Tensor BatchNorm2d::forward(const Tensor& input) {
  require_dim("BatchNorm2d", {"input", input}, 4, "[N, H, W, C]");
  BatchNormArguments arguments{.running_mean = running_mean,
                               .running_var = running_var,
                               .weight = weight,
                               .bias = bias,
                               .training = !options_.track_running_stats || (is_training() && !is_frozen()),
                               .momentum = options_.momentum,
                               .eps = options_.eps};
  auto* const average = arguments.training ? BatchNormUpdate::State::enter(running_mean, running_var) : nullptr;
  if (average != nullptr) {
    arguments.running_mean = average->mean;
    arguments.running_var = average->var;
    arguments.momentum = 1 / static_cast<double>(average->passes + 1);
  }
  Tensor output = batch_norm(input, arguments);
  if (average != nullptr) ++average->passes;
  return output;
}

}  // namespace deft
