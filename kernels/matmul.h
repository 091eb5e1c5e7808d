// Contract of the matrix product (float32, float64).
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/contract.h"
#include "deft/kernels/strided.h"

namespace deft::kernels {

/// Sizes of a batch of products.
///
/// a      [m, k], or [k, m] with transpose_a
/// b      [k, n], or [n, k] with transpose_b
/// output [m, n]
///
/// `batch` is the space of the batch axes, with the strides of a and b counted in matrices; the outputs are dense.
struct MatmulShape {
  std::int64_t m = 0, n = 0, k = 0;
  bool transpose_a = false, transpose_b = false;
  Strided<2> batch;
};

/// output = a·b + bias for each matrix of the batch; `bias` [n] is added to every row and may be null. Overwrites
/// `output`.
DEFT_CONTRACT((class T), void, matmul, const MatmulShape& shape, const T* a, const T* b, const T* bias, T* output);

}  // namespace deft::kernels
