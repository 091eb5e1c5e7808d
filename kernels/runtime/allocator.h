// Memory of both devices. Buffers are kept and handed out again, since fresh pages cost more than the arithmetic on
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "deft/kernels/runtime/device.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft {

/// What an allocator has handed out and holds, in bytes.
struct MemoryStats {
  std::int64_t in_use = 0;       ///< handed out now
  std::int64_t peak_in_use = 0;  ///< most handed out at once since the last reset_peak_memory
  std::int64_t cached = 0;       ///< returned and kept for reuse
  std::int64_t allocations = 0;  ///< requests that reached the system, since the start
};

/// Uninitialised memory of `bytes` bytes, aligned to 64. Zero bytes give a null pointer. Throws Error when there is no
/// memory left. The CPU's cache holds at most four times the most that was ever in use, or 64 MiB if that is more. With
/// DEFT_ALLOCATOR=system in the environment, or under a sanitizer, every request goes to the system at its exact size.
void* allocate(Device device, std::size_t bytes);

/// Gives back what `allocate` returned for the same device and size.
void deallocate(Device device, void* pointer, std::size_t bytes) noexcept;

MemoryStats memory_stats(Device device);
void reset_peak_memory(Device device);

/// Returns all cached memory to the system.
void empty_cache(Device device);

/// Scratch memory of a CPU kernel: `n` uninitialised elements, given back at the end of the scope.
template <class T>
class Scratch {
 public:
  DEFT_ALWAYS_INLINE explicit Scratch(std::int64_t n)
      : bytes_(static_cast<std::size_t>(n) * sizeof(T)), data_(static_cast<T*>(allocate(Device::cpu(), bytes_))) {}
  DEFT_ALWAYS_INLINE ~Scratch() { deallocate(Device::cpu(), data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  DEFT_ALWAYS_INLINE T* data() { return data_; }
  DEFT_ALWAYS_INLINE const T* data() const { return data_; }
  DEFT_ALWAYS_INLINE T& operator[](std::int64_t i) { return data_[i]; }
  DEFT_ALWAYS_INLINE const T& operator[](std::int64_t i) const { return data_[i]; }

 private:
  std::size_t bytes_;
  T* data_;
};

}  // namespace deft
