// How a CPU computes two-dimensional convolutions.
#pragma once

namespace deft {

enum class Conv2dAlgorithm {
  automatic,  ///< Winograd's where it applies and is faster by a measured rule: mostly, from 16 channels on
  direct,     ///< every product of the definition
  winograd,   ///< Winograd's wherever it applies: float32, 3×3, stride 1, dilation 1, groups 1; else direct
};

/// How conv2d and its gradients are computed on a CPU; at first `automatic`. Winograd's F(4×4, 3×3) takes a quarter of
/// the multiplications. Its float32 errors (max|a − b| / max|b| against float64, normally distributed values) were at
/// most 2 to 3 times those of the direct sums: 2e-6 at 32 channels, 3e-6 at 128 and 5e-6 at 512. A tile of 4×4 outputs
/// shares its arithmetic, so that a NaN or an infinity in the input reaches all outputs of the tiles that read it. CUDA
/// and float64 ignore this: they always compute directly.
void set_conv2d_algorithm(Conv2dAlgorithm algorithm);
Conv2dAlgorithm conv2d_algorithm();

}  // namespace deft
