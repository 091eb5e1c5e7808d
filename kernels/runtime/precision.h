// Precision of float32 matrix products on GPUs.
#pragma once

namespace deft {

enum class MatmulPrecision {
  highest,  ///< float32 throughout
  tf32,     ///< factors rounded to 10 bits of mantissa for the tensor cores (NVIDIA TF32); sums in float32
};

/// How matmul, linear, conv2d and deform_conv2d multiply float32 numbers on a GPU; at first `highest`. As
/// torch.set_float32_matmul_precision, of which these are "highest" and "high". The CPU always uses float32.
void set_matmul_precision(MatmulPrecision precision);
MatmulPrecision matmul_precision();

}  // namespace deft
