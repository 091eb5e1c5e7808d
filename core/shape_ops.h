// Functions that rearrange elements. All types; all are differentiable. Axes may be negative, counted from the end;
// axes, indices and sizes that do not fit throw Error.
#pragma once

#include <vector>

#include "deft/core/tensor.h"

namespace deft {

/// The same elements in another shape; one size may be −1 and follows from the others. Shares the elements.
Tensor reshape(const Tensor& x, const std::vector<std::int64_t>& shape);

/// Merges the axes from `start_axis` to `end_axis` into one. Shares the elements.
Tensor flatten(const Tensor& x, int start_axis = 0, int end_axis = -1);

/// Inserts an axis of size 1 before `axis`, in [−dim − 1, dim]. Shares the elements.
Tensor unsqueeze(const Tensor& x, int axis);

/// Removes an axis of size 1. Shares the elements.
Tensor squeeze(const Tensor& x, int axis);

/// Axis i of the result is axis `axes[i]` of x; `axes` names each axis once.
Tensor permute(const Tensor& x, const std::vector<int>& axes);

/// Swaps two axes.
Tensor transpose(const Tensor& x, int axis0, int axis1);

/// Repeats axes of size 1, and adds axes in front, until the shape is `shape` (NumPy's broadcasting).
Tensor broadcast_to(const Tensor& x, const Shape& shape);

/// Joins tensors along an existing axis, in which alone their shapes may differ.
Tensor cat(const std::vector<Tensor>& tensors, int axis = 0);

/// Joins tensors of one shape along a new axis.
Tensor stack(const std::vector<Tensor>& tensors, int axis = 0);

/// Elements `begin` to `end` (exclusive) of an axis; negative ones count from the end. Shares the elements on axis 0.
Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end);

/// Element `index` of an axis, which vanishes. Shares the elements on axis 0.
Tensor select(const Tensor& x, int axis, std::int64_t index);

/// Rows `index` (int64 [n], on the device of x) of axis 0: [rows, ...] gives [n, ...]. A row may be picked several
/// times.
Tensor index_rows(const Tensor& x, const Tensor& index);

}  // namespace deft
