// The last error of the calling thread.
#pragma once

#include "runtime_api.h"

namespace cuda_emulator {

/// Remembers `status` for cudaGetLastError unless it is success; returns it.
cudaError_t report(cudaError_t status);

}  // namespace cuda_emulator
