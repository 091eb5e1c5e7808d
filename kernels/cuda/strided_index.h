// Index arithmetic over Strided spaces in CUDA kernels, to which the space is passed by value, and around them.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/host_device.h"
#include "deft/kernels/strided.h"

namespace deft::kernels {

/// a / b for a >= 0, b > 0; in 32 bits where both fit, which takes a fraction of the time.
DEFT_HOST_DEVICE inline std::int64_t quotient(std::int64_t a, std::int64_t b) {
  if ((static_cast<std::uint64_t>(a | b) >> 32) == 0)
    return static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b);
  return a / b;
}

/// Where a point of a space lies in each operand, in elements.
template <int operands>
struct Offsets {
  std::int64_t of[operands];
};

/// The offsets of point `i` of the space in row-major order.
template <int operands>
DEFT_HOST_DEVICE inline Offsets<operands> offsets_at(const Strided<operands>& space, std::int64_t i) {
  Offsets<operands> offsets{};
  for (int axis = space.rank - 1; axis >= 0; --axis) {
    const std::int64_t rest = axis > 0 ? quotient(i, space.size[axis]) : 0;
    const std::int64_t index = i - rest * space.size[axis];
    for (int k = 0; k < operands; ++k) offsets.of[k] += index * space.stride[k][axis];
    i = rest;
  }
  return offsets;
}

}  // namespace deft::kernels
