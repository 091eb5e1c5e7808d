// How a CPU computes two-dimensional convolutions.
#pragma once

namespace deft {

enum class Conv2dAlgorithm {
  automatic,  ///< Winograd's where it applies and measurements say that it is faster
  direct,     ///< every product of the definition; float32 errors of at most about 2e-6
  winograd,   ///< Winograd's wherever it applies: float32, 3×3, stride 1, dilation 1, groups 1; else direct
};

/// How conv2d and its gradients are computed on a CPU; at first `automatic`. Winograd's F(4×4, 3×3) takes a quarter of the
/// multiplications; its float32 error (max|a − b| / max|b| against float64) is about three times that of `direct` and stays
/// within 1e-5. CUDA and float64 ignore this: they always compute directly.
void set_conv2d_algorithm(Conv2dAlgorithm algorithm);
Conv2dAlgorithm conv2d_algorithm();

}  // namespace deft
