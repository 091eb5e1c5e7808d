// Moving raw bytes on and between devices.
#pragma once

#include <cstddef>

#include "deft/kernels/runtime/device.h"

namespace deft {

/// Copies `bytes` bytes that do not overlap. On return `source` may be changed and freed, and `destination` read by
/// later work on its device; from the host only what was copied to the host. A copy to the host throws what synchronize
/// does.
void copy_memory(Device to, void* destination, Device from, const void* source, std::size_t bytes);

/// Waits until all work that was given to `device` is done. Throws Error when a kernel there has found an index out of
/// range (a row of index_rows, a class of cross_entropy) since the host last waited.
void synchronize(Device device);

}  // namespace deft
