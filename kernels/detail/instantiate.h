// Explicit instantiation of kernels: DEFT_INSTANTIATE_FLOATING(KERNEL) expands KERNEL(T) for the floating types.
#pragma once

#include <cstdint>

#define DEFT_INSTANTIATE_FLOATING(KERNEL) KERNEL(float) KERNEL(double)
#define DEFT_INSTANTIATE_SIGNED(KERNEL) DEFT_INSTANTIATE_FLOATING(KERNEL) KERNEL(std::int64_t)
#define DEFT_INSTANTIATE_ALL(KERNEL) DEFT_INSTANTIATE_SIGNED(KERNEL) KERNEL(std::uint8_t)
