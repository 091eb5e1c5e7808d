// Tells why a memory access was refused by the system.
#pragma once

namespace cuda_emulator {

/// From now on an access to device memory by the host, or to any forbidden memory by a kernel, aborts with a message. To be
/// repeated, since test frameworks replace the handler.
void watch_host_accesses();

}  // namespace cuda_emulator
