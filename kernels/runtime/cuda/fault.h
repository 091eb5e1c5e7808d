// Index checks of kernels, which the host learns of when it next waits for the GPU.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "deft/kernels/runtime/cuda/context.h"

namespace deft::kernels {

/// The check of one kernel's indices. `what` reads "operation: argument"; the GPU only hands it back.
struct IndexCheck {
  IndexFault* fault;
  const char* what;
  std::int64_t size;

  /// Whether `index`, at `position` of the argument, lies in [0, size). If not, the first fault since the host last
  /// looked is kept for it; the kernel must not use the index.
  __device__ bool operator()(std::int64_t position, std::int64_t index) const {
    if (index >= 0 && index < size) return true;
    if (atomicCAS(&fault->state, IndexFault::none, IndexFault::being_written) == IndexFault::none) {
      fault->what = what;
      fault->position = position;
      fault->index = index;
      fault->size = size;
      __threadfence_system();  // a host thread that waited for other work may be looking
      atomicExch(&fault->state, IndexFault::complete);
    }
    return false;
  }
};

}  // namespace deft::kernels
