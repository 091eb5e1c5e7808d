// Iteration spaces of kernels whose operands are broadcast, sliced, permuted or reduced.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels {

/// Most axes a Strided can hold after neighbouring axes have been merged.
inline constexpr int max_rank = 8;

/// A row-major iteration space and, for each operand, how far it moves along each axis.
///
/// Built with add_axis from the outermost axis inwards. Axes of size 1 vanish and axes that every operand crosses
/// without a jump are merged, so a space over dense tensors of one shape has rank 1, and kernels see few and long axes.
template <int operands>
struct Strided {
  int rank = 0;
  std::int64_t size[max_rank] = {};
  std::int64_t stride[operands][max_rank] = {};  ///< in elements; 0 where the operand is broadcast

  /// Appends an axis inside the others. Throws Error beyond max_rank axes.
  DEFT_ALWAYS_INLINE void add_axis(std::int64_t axis_size, const std::int64_t (&strides)[operands]) {
    if (axis_size == 1) return;
    bool merge = rank > 0;
    for (int i = 0; i < operands; ++i) merge = merge && stride[i][rank - 1] == axis_size * strides[i];
    if (!merge && rank == max_rank) throw_error("more than 8 axes that cannot be merged are not supported");
    if (!merge) size[rank++] = 1;
    size[rank - 1] *= axis_size;
    for (int i = 0; i < operands; ++i) stride[i][rank - 1] = strides[i];
  }

  /// Number of points, 1 for rank 0.
  DEFT_ALWAYS_INLINE std::int64_t numel() const {
    std::int64_t n = 1;
    for (int axis = 0; axis < rank; ++axis) n *= size[axis];
    return n;
  }
};

}  // namespace deft::kernels
