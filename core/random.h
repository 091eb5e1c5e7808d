// Random tensors. Each call takes the next stream of the generator; the numbers do not depend on device or threads.
#pragma once

#include <cstdint>
#include <vector>

#include "deft/core/generator.h"
#include "deft/core/tensor.h"
#include "deft/kernels/runtime/philox.h"

namespace deft {

/// Uniform in [0, 1). float32, float64.
Tensor rand(const Shape& shape, const TensorOptions& options = {}, Generator& generator = default_generator());

/// Standard normal. float32, float64.
Tensor randn(const Shape& shape, const TensorOptions& options = {}, Generator& generator = default_generator());

/// Uniform int64 numbers in [low, high). Throws Error unless low < high.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Device device = default_device(),
               Generator& generator = default_generator());

/// 0 … n − 1 in the random order (Fisher–Yates) that `numbers` gives. n >= 0.
std::vector<std::int64_t> permutation(std::int64_t n, PhiloxSequence numbers);

/// The int64 numbers 0 to n − 1 in random order. Throws Error for a negative n.
Tensor randperm(std::int64_t n, Device device = default_device(), Generator& generator = default_generator());

}  // namespace deft
