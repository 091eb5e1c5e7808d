// Contract of the random kernels. Element i is a function of (seed, stream, i) alone, by Philox
// (kernels/runtime/philox.h), so that it depends neither on threads nor on the device. A float32 element takes one
// 32-bit word of the stream, others take two.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/contract.h"

namespace deft::kernels {

/// Where a kernel's random numbers come from.
struct RandomStream {
  std::uint64_t seed = 0, stream = 0;
};

/// Uniform in [low, high). float32, float64.
DEFT_CONTRACT((class T), void, fill_uniform, RandomStream random, std::int64_t n, T low, T high, T* output);

/// Normal, by Box and Muller's method on pairs of elements. float32, float64.
DEFT_CONTRACT((class T), void, fill_normal, RandomStream random, std::int64_t n, T mean, T stddev, T* output);

/// Uniform integers in [low, high), low < high. int64.
DEFT_CONTRACT((class T), void, fill_randint, RandomStream random, std::int64_t n, T low, T high, T* output);

/// output = input / (1 − p) with probability 1 − p, else 0, for 0 <= p <= 1. The same call on grad_output is the
/// backward kernel, since the mask is drawn again. `output` may be the same memory as `input`. float32, float64.
DEFT_CONTRACT((class T), void, dropout, RandomStream random, std::int64_t n, double p, const T* input, T* output);

}  // namespace deft::kernels
