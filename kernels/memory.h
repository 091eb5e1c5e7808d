// Moving raw bytes on and between devices.
#pragma once

#include <cstddef>

#include "deft/kernels/device.h"

namespace deft {

/// Copies `bytes` bytes that do not overlap. Returns when `destination` may be read on its device.
void copy_memory(Device to, void* destination, Device from, const void* source, std::size_t bytes);

}  // namespace deft
