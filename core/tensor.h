// Tensors: dense, row-major arrays on a device, with the handle to their gradients.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "deft/core/default_device.h"
#include "deft/core/shape.h"
#include "deft/kernels/runtime/device.h"
#include "deft/kernels/runtime/dtype.h"

namespace deft {

struct TensorImpl;
struct BackwardOptions;

/// A cheap handle to an array: copies share the elements and the gradient. A default-constructed one is undefined and
/// stands for "none" (an absent bias or mask). Elements are always dense and row-major; reshape and leading-axis slices
/// share them, everything else copies. Functions on tensors are free functions (`relu(x)`, `reshape(x, {2, -1})`),
/// found by the namespace of their argument. Accessors of an undefined tensor throw Error.
class Tensor {
 public:
  using Hook = std::function<Tensor(const Tensor& grad)>;

  Tensor() = default;
  explicit Tensor(std::shared_ptr<TensorImpl> impl) : impl_(std::move(impl)) {}

  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const;
  int dim() const { return shape().dim(); }
  /// Size of an axis; negative ones count from the end.
  std::int64_t size(int axis) const { return shape().size(axis); }
  std::int64_t numel() const { return shape().numel(); }
  DType dtype() const;
  Device device() const;

  /// The first element, for reading. On a GPU this is a device pointer. Throws Error unless T is the element type.
  template <class T>
  const T* data() const {
    return static_cast<const T*>(raw_data(dtype_of<T>));
  }
  /// The first element, for writing; marks the tensor as changed, so that a backward pass that saved it fails loudly.
  /// Throws Error unless T is the element type.
  template <class T>
  T* mutable_data() {
    return static_cast<T*>(raw_mutable_data(dtype_of<T>));
  }

  /// The only element, converted to T, from any device. Throws Error unless there is exactly one.
  template <class T = double>
  T item() const {
    require_one_element();
    return visit_dtype(dtype(), [this]<class Element>() {
      Element value{};
      copy_to_host(&value, dtype());
      return static_cast<T>(value);
    });
  }
  /// All elements in row-major order, from any device. Throws Error unless T is the element type.
  template <class T>
  std::vector<T> to_vector() const {
    std::vector<T> values(static_cast<std::size_t>(numel()));
    copy_to_host(values.data(), dtype_of<T>);
    return values;
  }

  /// A copy on another device, or this tensor if it is there already. Gradients flow through.
  Tensor to(Device device) const;
  /// The elements converted to another type, or this tensor if they have it already. Gradients flow between floating
  /// types.
  Tensor to(DType dtype) const;
  /// A copy of the elements. Gradients flow through.
  Tensor clone() const;
  /// The same elements without history: no gradient flows through the result.
  Tensor detach() const;

  /// Overwrites the elements in place. Throws Error on a tensor that requires grad, unless inside NoGrad; `copy_` also
  /// unless shape and type agree (devices may differ), `fill_` unless the type can hold the value.
  Tensor& copy_(const Tensor& source);
  Tensor& fill_(double value);
  Tensor& zero_() { return fill_(0); }

  bool requires_grad() const;
  /// Throws Error for a type that is not floating, and for turning it off on the result of an operation.
  Tensor& set_requires_grad(bool value = true);
  /// True when no operation produced this tensor, so that backward() leaves its gradient here.
  bool is_leaf() const;
  /// The gradient accumulated by backward(), or an undefined tensor.
  Tensor grad() const;
  /// Replaces the gradient; an undefined tensor clears it. Throws Error unless shape, type and device agree.
  void set_grad(const Tensor& grad);
  /// Asks backward() to keep the gradient of this non-leaf tensor in grad().
  void retain_grad();
  /// Calls `hook` with the whole gradient of this tensor each time backward() has computed it; a defined result
  /// replaces it.
  void register_hook(Hook hook);

  /// Adds d(this)/d(leaf) to grad() of every leaf that requires grad; this tensor must hold one element. The graph is
  /// freed on the way. Throws Error where no gradient can be computed.
  void backward() const;
  void backward(const BackwardOptions& options) const;

  TensorImpl* impl() const { return impl_.get(); }
  const std::shared_ptr<TensorImpl>& shared_impl() const { return impl_; }

 private:
  TensorImpl& checked() const;
  const void* raw_data(DType expected) const;
  void* raw_mutable_data(DType expected);
  void require_one_element() const;
  void copy_to_host(void* destination, DType expected) const;
  void require_writable(const char* op) const;

  std::shared_ptr<TensorImpl> impl_;
};

/// What backward() can be told.
struct BackwardOptions {
  /// Gradient of the result with respect to the tensor, of its shape; needed unless that holds one element.
  Tensor gradient = {};
  /// Keep the graph, so that backward() can run through it again.
  bool retain_graph = false;
  /// Not supported: there is no double backward. Throws Error when true.
  bool create_graph = false;
};

/// Tensors by name, in order: parameters, state, the contents of a file.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Type, place and gradient of a new tensor.
struct TensorOptions {
  DType dtype = DType::float32;
  Device device = default_device();
  bool requires_grad = false;
};

/// Elements are not initialised.
Tensor empty(const Shape& shape, const TensorOptions& options = {});
Tensor zeros(const Shape& shape, const TensorOptions& options = {});
Tensor ones(const Shape& shape, const TensorOptions& options = {});
/// Throws Error for a value that the type cannot hold.
Tensor full(const Shape& shape, double value, const TensorOptions& options = {});
/// begin, begin + step, … up to but not including `end`, ⌈(end − begin) / step⌉ elements as in NumPy, but for one that
/// rounding brings to `end`: that is left out. Element i is begin + i · step in float64, rounded to the type. Throws
/// Error for a range that is not finite and for numbers that the type cannot hold.
Tensor arange(double begin, double end, double step = 1, const TensorOptions& options = {});

/// Shape, type and device of `like`.
Tensor empty_like(const Tensor& like);
Tensor zeros_like(const Tensor& like);
Tensor ones_like(const Tensor& like);

/// A tensor with these elements in row-major order. Throws Error unless their number fits the shape.
template <class T>
Tensor from_vector(const std::vector<T>& values, const Shape& shape, Device device = default_device());
/// The same as a vector.
template <class T>
Tensor from_vector(const std::vector<T>& values) {
  return from_vector(values, Shape{static_cast<std::int64_t>(values.size())});
}

/// Throws Error, in the name of operation `op`, unless `dtype` can hold `value`: integers must be whole and in range.
void require_representable(const char* op, double value, DType dtype);

/// A tensor that shares the elements of `base` from element `offset` on, with its own shape and no history.
Tensor alias(const Tensor& base, const Shape& shape, std::int64_t offset = 0);

/// Elements (with "…" in the middle of long axes), shape and type, as for printing.
std::string to_string(const Tensor& tensor);

}  // namespace deft
