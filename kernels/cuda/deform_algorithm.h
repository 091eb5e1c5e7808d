// Which of its two algorithms deform_conv2d uses on a GPU: for tests and benchmarks, which compare them.
#pragma once

namespace deft::kernels {

enum class DeformAlgorithm {
  automatic,  ///< fused where it is made for the shape
  panel,      ///< sampled panels in device memory, multiplied by cuBLAS
  fused,      ///< samples in shared memory, multiplied there; panel where the fused kernels cannot take the shape
};

/// For all threads, from the next call on; at first `automatic`.
void set_deform_algorithm(DeformAlgorithm algorithm);
DeformAlgorithm deform_algorithm();

}  // namespace deft::kernels
