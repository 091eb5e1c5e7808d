// Elementary functions of CUDA kernels, under the names that kernels/cpu/math.h has for the CPU's.
#pragma once

#include <cuda_runtime.h>

#include <cmath>

#include "deft/kernels/runtime/cuda/launch.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels::DEFT_PLACE::math {

using std::abs;
using std::erf;
using std::exp;
using std::expm1;
using std::log;
using std::log1p;
using std::pow;
using std::sqrt;
using std::tanh;

/// False for integers.
template <class T>
DEFT_HOST_DEVICE inline bool is_nan(T x) {
  return x != x;
}

}  // namespace deft::kernels::DEFT_PLACE::math
