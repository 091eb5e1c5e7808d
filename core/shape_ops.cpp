#include "deft/core/shape_ops.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "deft/core/autograd.h"
#include "deft/core/checks.h"
#include "deft/core/detail/spaces.h"
#include "deft/core/dispatch.h"
#include "deft/kernels/copy.h"

namespace deft {
namespace {

/// The elements of x in another shape of the same size, recorded as operation `op`.
Tensor reshape_as(const char* op, const Tensor& x, const Shape& shape) {
  const Tensor result = alias(x, shape);
  record(op, {x}, {{"shape", shape.to_vector()}}, {result},
         {.apply = [from = x.shape()](const BackwardContext& context) -> std::vector<Tensor> {
           return {alias(context.grad(), from)};
         }});
  return result;
}

Tensor permuted(const Tensor& x, const std::vector<int>& axes) {
  const Shape strides = strides_of(x.shape());
  Shape shape = x.shape(), moved = x.shape();
  for (int axis = 0; axis < x.dim(); ++axis) {
    const int from = axes[static_cast<std::size_t>(axis)];
    shape.set(axis, x.shape()[from]);
    moved.set(axis, strides[from]);
  }
  Tensor result = empty(shape, {.dtype = x.dtype(), .device = x.device()});
  dispatch(x, [&]<class T>(auto place) {
    kernels::copy_strided<T>(place, make_space<1>(shape, {moved}), x.data<T>(), result.mutable_data<T>());
  });
  return result;
}

/// Products of the sizes before and after an axis.
std::int64_t outer_size(const Shape& shape, int axis) {
  return std::accumulate(shape.begin(), shape.begin() + axis, std::int64_t{1}, std::multiplies<>());
}
std::int64_t inner_size(const Shape& shape, int axis) {
  return std::accumulate(shape.begin() + axis + 1, shape.end(), std::int64_t{1}, std::multiplies<>());
}

/// Copies `size` elements of `axis`, from element `from` of one tensor to element `to` of another.
void copy_along(int axis, std::int64_t size, const Tensor& source, std::int64_t from, Tensor& destination,
                std::int64_t to) {
  const std::int64_t outer = outer_size(source.shape(), axis), inner = inner_size(source.shape(), axis);
  dispatch(source, [&]<class T>(auto place) {
    kernels::copy_rows<T>(place, outer, size * inner, source.data<T>() + from * inner, source.shape()[axis] * inner,
                          destination.mutable_data<T>() + to * inner, destination.shape()[axis] * inner);
  });
}

/// Elements [begin, begin + size) of an axis, not recorded.
Tensor piece(const Tensor& x, int axis, std::int64_t begin, std::int64_t size) {
  Shape shape = x.shape();
  shape.set(axis, size);
  if (axis == 0) return alias(x, shape, begin * inner_size(x.shape(), 0));
  Tensor result = empty(shape, {.dtype = x.dtype(), .device = x.device()});
  copy_along(axis, size, x, begin, result, 0);
  return result;
}

}  // namespace

Tensor reshape(const Tensor& x, const std::vector<std::int64_t>& shape) {
  const auto fail = [&] {
    throw Error(fmt::format("reshape: shape is [{}], which {} elements of {} do not fill", fmt::join(shape, ", "),
                            x.numel(), to_string(x.shape())));
  };
  std::vector<std::int64_t> sizes = shape;
  const auto open = std::find(sizes.begin(), sizes.end(), -1);
  if (open != sizes.end()) {
    *open = 1;
    const std::int64_t others = Shape(sizes).numel();
    if (others == 0 || x.numel() % others != 0) fail();
    *open = x.numel() / others;
  }
  const Shape result(sizes);
  if (result.numel() != x.numel()) fail();
  return reshape_as("reshape", x, result);
}

Tensor flatten(const Tensor& x, int start_axis, int end_axis) {
  if (x.dim() == 0) return reshape_as("flatten", x, {1});
  const int start = x.shape().normalized_axis(start_axis, "flatten"),
            end = x.shape().normalized_axis(end_axis, "flatten");
  if (start > end) throw Error(fmt::format("flatten: start_axis {} is behind end_axis {}", start_axis, end_axis));
  Shape shape;
  for (int axis = 0; axis < start; ++axis) shape.push_back(x.shape()[axis]);
  shape.push_back(
      std::accumulate(x.shape().begin() + start, x.shape().begin() + end + 1, std::int64_t{1}, std::multiplies<>()));
  for (int axis = end + 1; axis < x.dim(); ++axis) shape.push_back(x.shape()[axis]);
  return reshape_as("flatten", x, shape);
}

Tensor unsqueeze(const Tensor& x, int axis) {
  if (axis < -x.dim() - 1 || axis > x.dim()) {
    throw Error(fmt::format("unsqueeze: axis is {}, expected {} to {} for shape {}", axis, -x.dim() - 1, x.dim(),
                            to_string(x.shape())));
  }
  std::vector<std::int64_t> sizes = x.shape().to_vector();
  sizes.insert(sizes.begin() + (axis < 0 ? axis + x.dim() + 1 : axis), 1);
  return reshape_as("unsqueeze", x, Shape(sizes));
}

Tensor squeeze(const Tensor& x, int axis) {
  const int normal = x.shape().normalized_axis(axis, "squeeze");
  std::vector<std::int64_t> sizes = x.shape().to_vector();
  if (x.shape()[normal] != 1) {
    throw Error(
        fmt::format("squeeze: axis {} of {} has size {}, expected 1", axis, to_string(x.shape()), x.shape()[normal]));
  }
  sizes.erase(sizes.begin() + normal);
  return reshape_as("squeeze", x, Shape(sizes));
}

Tensor permute(const Tensor& x, const std::vector<int>& axes) {
  std::vector<int> order, inverse(axes.size(), -1);
  for (const int axis : axes) order.push_back(x.shape().normalized_axis(axis, "permute"));
  for (std::size_t i = 0; i < order.size() && order.size() == static_cast<std::size_t>(x.dim()); ++i) {
    inverse[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  }
  if (static_cast<int>(axes.size()) != x.dim() || std::count(inverse.begin(), inverse.end(), -1) != 0) {
    throw Error(fmt::format("permute: axes are [{}], expected each axis of {} once", fmt::join(axes, ", "),
                            to_string(x.shape())));
  }
  const Tensor result = permuted(x, order);
  record("permute", {x}, {{"axes", std::vector<std::int64_t>(order.begin(), order.end())}}, {result},
         {.apply = [inverse](const BackwardContext& context) -> std::vector<Tensor> {
           return {permuted(context.grad(), inverse)};
         }});
  return result;
}

Tensor transpose(const Tensor& x, int axis0, int axis1) {
  std::vector<int> axes(static_cast<std::size_t>(x.dim()));
  std::iota(axes.begin(), axes.end(), 0);
  std::swap(axes[static_cast<std::size_t>(x.shape().normalized_axis(axis0, "transpose"))],
            axes[static_cast<std::size_t>(x.shape().normalized_axis(axis1, "transpose"))]);
  return permute(x, axes);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  if (!(broadcast_shapes(x.shape(), shape, "broadcast_to") == shape)) {
    throw Error(fmt::format("broadcast_to: {} does not broadcast to {}", to_string(x.shape()), to_string(shape)));
  }
  const Tensor result = repeat_to(x, shape);
  record("broadcast_to", {x}, {{"shape", shape.to_vector()}}, {result},
         {.apply = [from = x.shape()](const BackwardContext& context) -> std::vector<Tensor> {
           return {sum_to(context.grad(), from)};
         }});
  return result;
}

Tensor cat(const std::vector<Tensor>& tensors, int axis) {
  if (tensors.empty()) throw Error("cat: no tensors");
  const Tensor& first = tensors.front();
  const int normal = first.shape().normalized_axis(axis, "cat");
  Shape shape = first.shape();
  std::vector<std::int64_t> begins = {0};
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    require_same_kind("cat", {{"the first tensor", first}, {"another", tensors[i]}});
    Shape expected = first.shape();
    if (tensors[i].dim() == first.dim()) expected.set(normal, tensors[i].shape()[normal]);
    if (!(tensors[i].shape() == expected)) {
      throw Error(fmt::format("cat: tensor {} is {}, tensor 0 is {}, they may differ in axis {} alone", i,
                              to_string(tensors[i].shape()), to_string(first.shape()), normal));
    }
    begins.push_back(begins.back() + tensors[i].shape()[normal]);
  }
  shape.set(normal, begins.back());
  Tensor result = empty(shape, {.dtype = first.dtype(), .device = first.device()});
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    copy_along(normal, begins[i + 1] - begins[i], tensors[i], 0, result, begins[i]);
  }
  record("cat", tensors, {{"axis", std::int64_t{normal}}}, {result},
         {.apply = [normal, begins](const BackwardContext& context) -> std::vector<Tensor> {
           std::vector<Tensor> grads(begins.size() - 1);
           for (std::size_t i = 0; i < grads.size(); ++i) {
             if (context.needs(i)) grads[i] = piece(context.grad(), normal, begins[i], begins[i + 1] - begins[i]);
           }
           return grads;
         }});
  return result;
}

Tensor stack(const std::vector<Tensor>& tensors, int axis) {
  if (tensors.empty()) throw Error("stack: no tensors");
  std::vector<Tensor> rows;
  for (const Tensor& tensor : tensors) {
    if (!(tensor.shape() == tensors.front().shape())) {
      throw Error(fmt::format("stack: tensor {} is {}, tensor 0 is {}", rows.size(), to_string(tensor.shape()),
                              to_string(tensors.front().shape())));
    }
    rows.push_back(unsqueeze(tensor, axis));
  }
  return cat(rows, axis);
}

Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end) {
  const int normal = x.shape().normalized_axis(axis, "slice");
  const std::int64_t size = x.shape()[normal];
  const std::int64_t first = begin < 0 ? begin + size : begin, last = end < 0 ? end + size : end;
  if (first < 0 || last > size || first > last) {
    throw Error(fmt::format("slice: begin is {}, end is {}, but axis {} of {} has size {}", begin, end, axis,
                            to_string(x.shape()), size));
  }
  const Tensor result = piece(x, normal, first, last - first);
  record("slice", {x}, {{"axis", std::int64_t{normal}}, {"begin", first}, {"end", last}}, {result},
         {.apply = [normal, first, from = x.shape()](const BackwardContext& context) -> std::vector<Tensor> {
           const Tensor& grad = context.grad();
           Tensor grad_x = zeros(from, {.dtype = grad.dtype(), .device = grad.device()});
           copy_along(normal, grad.shape()[normal], grad, 0, grad_x, first);
           return {grad_x};
         }});
  return result;
}

Tensor select(const Tensor& x, int axis, std::int64_t index) {
  const std::int64_t size = x.size(axis);
  if (index < -size || index >= size) {
    throw Error(
        fmt::format("select: index is {}, but axis {} of {} has size {}", index, axis, to_string(x.shape()), size));
  }
  const std::int64_t begin = index < 0 ? index + size : index;
  return squeeze(slice(x, axis, begin, begin + 1), axis);
}

Tensor index_rows(const Tensor& x, const Tensor& index) {
  require_dtype("index_rows", {"index", index}, DType::int64);
  require_dim("index_rows", {"index", index}, 1, "[n]");
  require_same_device("index_rows", {{"x", x}, {"index", index}});
  if (x.dim() == 0) throw Error("index_rows: x is a scalar, expected at least one axis");
  const std::int64_t rows = x.size(0), n = index.size(0), row_size = inner_size(x.shape(), 0);
  require_indices("index_rows", {"index", index}, rows);
  Shape shape = x.shape();
  shape.set(0, n);
  Tensor result = empty(shape, {.dtype = x.dtype(), .device = x.device()});
  dispatch(x, [&]<class T>(auto place) {
    kernels::index_rows_forward<T>(place, n, row_size, rows, x.data<T>(), index.data<std::int64_t>(),
                                   result.mutable_data<T>());
  });
  record("index_rows", {x, index}, {}, {result},
         {.saved = {index}, .apply = [from = x.shape()](const BackwardContext& context) -> std::vector<Tensor> {
            const Tensor &grad = context.grad(), &rows_picked = context.saved();
            Tensor grad_x = empty(from, {.dtype = grad.dtype(), .device = grad.device()});
            dispatch_floating(grad, "index_rows", [&]<class T>(auto place) {
              kernels::index_rows_backward<T>(place, rows_picked.size(0), inner_size(from, 0), from[0], grad.data<T>(),
                                              rows_picked.data<std::int64_t>(), grad_x.mutable_data<T>());
            });
            return {grad_x, Tensor()};
          }});
  return result;
}

}  // namespace deft
