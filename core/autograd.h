// The tape: how operations report themselves, and what backward() walks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "deft/core/tensor.h"

namespace deft {

/// While one lives, operations on this thread are not recorded for backward().
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool outer_;
};

/// False inside NoGrad.
bool grad_enabled();

/// While one lives, backward() on this thread throws Error as soon as an operation makes a gradient with a NaN in it,
/// naming the operation and its module. Slow: for finding the place.
class DetectAnomaly {
 public:
  DetectAnomaly();
  ~DetectAnomaly();
  DetectAnomaly(const DetectAnomaly&) = delete;
  DetectAnomaly& operator=(const DetectAnomaly&) = delete;

 private:
  bool outer_;
};

/// A named option of an operation, for traces.
struct Attribute {
  std::string name;
  std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>> value;
};
using Attributes = std::vector<Attribute>;

/// What a backward function is called with.
class BackwardContext {
 public:
  BackwardContext(std::vector<Tensor> grads, std::vector<Tensor> saved, std::vector<bool> needs)
      : grads_(std::move(grads)), saved_(std::move(saved)), needs_(std::move(needs)) {}

  /// Gradient with respect to output `i`, of its shape.
  const Tensor& grad(std::size_t i = 0) const { return grads_.at(i); }
  /// The `i`-th saved tensor.
  const Tensor& saved(std::size_t i = 0) const { return saved_.at(i); }
  /// Whether the gradient with respect to input `i` is wanted.
  bool needs(std::size_t i = 0) const { return needs_.at(i); }
  /// Memory for a gradient of the shape of grad(i), as reuse_or_empty gives it.
  Tensor memory_of_grad(std::size_t i = 0) const;

 private:
  std::vector<Tensor> grads_, saved_;
  std::vector<bool> needs_;
};

/// The backward half of an operation.
struct Backward {
  /// Tensors that `apply` reads, undefined ones included. Nothing else may be captured by it but plain values: saved
  /// tensors are checked against changes in place and make no reference cycles.
  std::vector<Tensor> saved = {};
  /// Returns one gradient per input; undefined for those that are not needed.
  std::function<std::vector<Tensor>(const BackwardContext&)> apply = {};
};

/// Where an operation reads images [N, H, W, C], its first input: for element (y, x) of its output, tap (i, j) lies at
/// (y · stride_h − pad_top + i · dilation_h, x · stride_w − pad_left + j · dilation_w).
struct SamplingGeometry {
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;
  std::int64_t dilation_h = 1, dilation_w = 1;
  /// Which inputs of the operation move the taps (dy, dx) and weigh them, where it is deformable.
  std::optional<std::size_t> offset_input = {}, mask_input = {};
};

/// Facts about an operation for readers of a Trace, besides its attributes.
struct TraceInfo {
  std::int64_t multiply_adds = 0;  ///< of its products, forward
  std::optional<SamplingGeometry> sampling = {};
};

/// A tensor like `x` for the result of a kernel whose output may be the same memory as its input: the memory of `x` if
/// it ends with this handle, as that of a temporary does, else new. Operations that can use it take `x` by value; they
/// must not save it.
Tensor reuse_or_empty(const Tensor& x);

/// Reports an operation that has just computed `outputs` from `inputs`; every differentiable function ends with this
/// call. If gradients are enabled and an input requires them, it makes the node that backward() visits and the floating
/// outputs require grad. Inside a Trace it also appends the operation to the list. Undefined tensors stand for absent
/// inputs. `backward.apply` may be empty for an operation without a derivative.
void record(const char* op, const std::vector<Tensor>& inputs, Attributes attributes,
            const std::vector<Tensor>& outputs, Backward backward, const TraceInfo& info = {});

}  // namespace deft
