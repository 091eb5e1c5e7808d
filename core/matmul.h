// Matrix products.
#pragma once

#include "deft/core/tensor.h"

namespace deft {

struct MatmulOptions {
  bool transpose_a = false;  ///< a is given as [..., k, m]
  bool transpose_b = false;  ///< b is given as [..., n, k]
};

/// a·b for matrices in the last two axes: [..., m, k] and [..., k, n] give [..., m, n]; the axes before them broadcast
/// by NumPy's rules. float32, float64. Throws Error for fewer than two axes or sizes that do not fit.
Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options = {});

}  // namespace deft
