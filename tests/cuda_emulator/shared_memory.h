// The shared memory of the block that runs.
#pragma once

#include "kernel_launch.h"

namespace cuda_emulator {

/// For one launch: its dynamic shared memory, a heap block of exactly the size that was asked for.
class SharedMemoryScope {
 public:
  SharedMemoryScope(const Launch& launch, unsigned char poison);
  ~SharedMemoryScope();
  SharedMemoryScope(const SharedMemoryScope&) = delete;
  SharedMemoryScope& operator=(const SharedMemoryScope&) = delete;
};

}  // namespace cuda_emulator
