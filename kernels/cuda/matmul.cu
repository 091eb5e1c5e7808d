#include <algorithm>
#include <tuple>

#include "deft/kernels/cuda/gemm.h"
#include "deft/kernels/cuda/strided_index.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/matmul.h"

namespace deft::kernels {
namespace {

/// A batch space, divided into its longest axis, whose products cuBLAS takes in one call, and the others.
struct BatchAxes {
  explicit BatchAxes(const Strided<2>& batch) {
    const int longest = static_cast<int>(std::max_element(batch.size, batch.size + batch.rank) - batch.size);
    std::int64_t inner = batch.numel();
    for (int axis = 0; axis < batch.rank; ++axis) {
      inner /= std::max<std::int64_t>(batch.size[axis], 1);
      const std::int64_t stride_a = batch.stride[0][axis], stride_b = batch.stride[1][axis];
      if (axis == longest) {
        together = batch.size[axis];
        steps[0] = stride_a, steps[1] = stride_b, steps[2] = inner;
      } else {
        calls.add_axis(batch.size[axis], {stride_a, stride_b, inner});
      }
    }
  }

  std::int64_t together = 1;
  std::int64_t steps[3] = {};  ///< of a, b and output along the longest axis, in matrices
  Strided<3> calls;            ///< the other axes
};

}  // namespace

template <class T>
void matmul(Cuda device, const MatmulShape& shape, const T* a, const T* b, const T* bias, T* output) {
  const auto [m, n, k] = std::tuple(shape.m, shape.n, shape.k);
  const std::int64_t matrices = shape.batch.numel();
  if (matrices == 0) return;
  if (bias != nullptr || k == 0) preset_rows(device, matrices * m, n, bias, output);
  if (k == 0) return;
  const BatchAxes axes(shape.batch);
  for (std::int64_t call = 0; call < axes.calls.numel(); ++call) {
    const Offsets<3> at = offsets_at(axes.calls, call);
    gemm<T>(context(device), {m, n, k, axes.together},
            {a + at.of[0] * m * k, shape.transpose_a ? m : k, axes.steps[0] * m * k, shape.transpose_a},
            {b + at.of[1] * k * n, shape.transpose_b ? k : n, axes.steps[1] * k * n, shape.transpose_b},
            bias == nullptr ? Accumulate::no : Accumulate::yes, {output + at.of[2] * m * n, n, axes.steps[2] * m * n});
  }
}

#define DEFT_FLOATING(T) template void matmul<T>(Cuda, const MatmulShape&, const T*, const T*, const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
