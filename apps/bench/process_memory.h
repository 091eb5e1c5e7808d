// What a piece of work adds to the memory of a process.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace deft::bench {

/// Bytes of this process in memory now, and the most since it started. Throws Error where Linux's /proc is missing.
std::int64_t resident_bytes();
std::int64_t peak_resident_bytes();

/// Memory taken by a step that is repeated, in bytes.
struct MemoryUse {
  std::int64_t peak = 0;           ///< most that tensors and scratch memory took at once
  std::int64_t held = 0;           ///< that and what the allocator keeps for the next step
  std::int64_t peak_resident = 0;  ///< by which the process grew at most
  std::int64_t allocations = 0;    ///< requests to the system in the steps measured
};

/// What `measure` returns, called in a child process: nothing that this process did before counts. This process must
/// not have used a GPU, which a child cannot go on with. Throws Error with the child's message if that throws, or when
/// it ends otherwise.
MemoryUse in_child_process(const std::function<MemoryUse()>& measure);

}  // namespace deft::bench
