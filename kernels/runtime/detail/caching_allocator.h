// The allocator of both devices: keeps returned memory by size and hands it out again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/error.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DEFT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DEFT_SANITIZED 1
#endif
#endif

namespace deft {

/// Whether every request goes to the system: under a sanitizer, or with DEFT_ALLOCATOR=system in the environment.
inline bool allocator_passes_through() {
#ifdef DEFT_SANITIZED
  return true;
#else
  const char* setting = std::getenv("DEFT_ALLOCATOR");
  return setting != nullptr && std::strcmp(setting, "system") == 0;
#endif
}

/// Caches the memory of a System, which has
///   void* allocate(std::size_t bytes)                      null when there is none left
///   void deallocate(void* pointer) noexcept
///   static constexpr std::size_t alignment                 sizes are multiples of it
///   std::int64_t cache_limit(std::int64_t most_in_use)     bytes that the cache may hold
///   std::string name()                                     for messages
template <class System>
class CachingAllocator {
 public:
  explicit CachingAllocator(System system = {}) : system_(std::move(system)) {}

  void* allocate(std::size_t bytes) {
    if (bytes == 0) return nullptr;
    if (bytes > PTRDIFF_MAX) throw out_of_memory(bytes);
    const std::size_t rounded = passes_through_ ? bytes : size_class(bytes);
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = free_.find(rounded); found != free_.end() && !found->second.empty()) {
        count(bytes);
        return take(found->first, found->second);
      }
      ++stats_.allocations;
    }
    void* pointer = system_.allocate(rounded);
    if (pointer == nullptr) {
      release_cache();
      pointer = system_.allocate(rounded);
    }
    if (pointer == nullptr) throw out_of_memory(bytes);
    const std::lock_guard lock(mutex_);
    count(bytes);
    return pointer;
  }

  void deallocate(void* pointer, std::size_t bytes) noexcept {
    if (pointer == nullptr) return;
    {
      const std::lock_guard lock(mutex_);
      stats_.in_use -= static_cast<std::int64_t>(bytes);
      if (!passes_through_) {
        try {
          const std::size_t rounded = size_class(bytes);
          free_[rounded].push_back(pointer);
          stats_.cached += static_cast<std::int64_t>(rounded);
          trim();
          return;
        } catch (const std::bad_alloc&) {
          // No memory to remember the buffer by: the system takes it.
        }
      }
    }
    system_.deallocate(pointer);
  }

  MemoryStats stats() const {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

  void reset_peak() {
    const std::lock_guard lock(mutex_);
    stats_.peak_in_use = stats_.in_use;
  }

  void release_cache() {
    const std::lock_guard lock(mutex_);
    for (auto& [size, pointers] : free_) {
      for (void* pointer : pointers) system_.deallocate(pointer);
    }
    free_.clear();
    stats_.cached = 0;
  }

 private:
  // Eight classes per power of two waste at most an eighth and let buffers of nearly equal size serve each other.
  static std::size_t size_class(std::size_t bytes) {
    std::size_t step = System::alignment;
    while (step <= bytes / 16) step *= 2;
    return (bytes + step - 1) / step * step;
  }

  Error out_of_memory(std::size_t bytes) const {
    return Error(system_.name() + ": out of memory allocating " + std::to_string(bytes) + " bytes, " +
                 std::to_string(stats().in_use) + " in use");
  }

  // The rest is called with the mutex held.

  void count(std::size_t bytes) {
    stats_.in_use += static_cast<std::int64_t>(bytes);
    stats_.peak_in_use = std::max(stats_.peak_in_use, stats_.in_use);
    most_in_use_ = std::max(most_in_use_, stats_.in_use);
  }

  void* take(std::size_t size, std::vector<void*>& pointers) {
    void* pointer = pointers.back();
    pointers.pop_back();
    stats_.cached -= static_cast<std::int64_t>(size);
    return pointer;
  }

  // Frees the largest buffers while the cache is over its limit.
  void trim() {
    const std::int64_t limit = system_.cache_limit(most_in_use_);
    for (auto largest = free_.rbegin(); stats_.cached > limit && largest != free_.rend(); ++largest) {
      while (stats_.cached > limit && !largest->second.empty()) {
        system_.deallocate(take(largest->first, largest->second));
      }
    }
  }

  System system_;
  const bool passes_through_ = allocator_passes_through();
  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;
  MemoryStats stats_;
  std::int64_t most_in_use_ = 0;  // since the start
};

}  // namespace deft
