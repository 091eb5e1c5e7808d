// Random inputs for tests.
#pragma once

#include <cstdint>

#include "deft/core/tensor.h"
#include "deft/layers/init.h"

/// A float64 leaf of standard normal numbers that requires grad, the same for the same seed.
inline deft::Tensor random_tensor(const deft::Shape& shape, std::uint64_t seed = 0) {
  deft::Tensor tensor = deft::empty(shape, {.dtype = deft::DType::float64});
  deft::Generator generator(seed);
  deft::init::normal_(tensor, 0, 1, generator);
  return tensor.set_requires_grad();
}
