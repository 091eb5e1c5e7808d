#include "deft/kernels/allocator.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "deft/kernels/dispatch.h"
#include "deft/kernels/error.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DEFT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DEFT_SANITIZED 1
#endif
#endif

namespace deft {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::int64_t smallest_limit = std::int64_t{64} << 20;  // of the cache, in bytes

class CpuAllocator {
 public:
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
    void* pointer = from_system(rounded);
    if (pointer == nullptr) {
      release_cache();
      pointer = from_system(rounded);
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
    to_system(pointer);
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
      for (void* pointer : pointers) to_system(pointer);
    }
    free_.clear();
    stats_.cached = 0;
  }

 private:
  static bool pass_through() {
#ifdef DEFT_SANITIZED
    return true;
#else
    const char* setting = std::getenv("DEFT_ALLOCATOR");
    return setting != nullptr && std::strcmp(setting, "system") == 0;
#endif
  }

  // Eight classes per power of two waste at most an eighth and let buffers of nearly equal size serve each other.
  static std::size_t size_class(std::size_t bytes) {
    std::size_t step = alignment;
    while (step <= bytes / 16) step *= 2;
    return (bytes + step - 1) / step * step;
  }

  static void* from_system(std::size_t bytes) {
    return ::operator new(bytes, std::align_val_t(alignment), std::nothrow);
  }
  static void to_system(void* pointer) noexcept { ::operator delete(pointer, std::align_val_t(alignment)); }

  Error out_of_memory(std::size_t bytes) const {
    return Error("cpu: out of memory allocating " + std::to_string(bytes) + " bytes, " +
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

  // Frees the largest buffers while the cache is over its limit. A training that repeats itself stays below: buffers of
  // different sizes serve its different phases, and together hold about three times what it uses at once.
  void trim() {
    const std::int64_t limit = std::max(smallest_limit, 4 * most_in_use_);
    for (auto largest = free_.rbegin(); stats_.cached > limit && largest != free_.rend(); ++largest) {
      while (stats_.cached > limit && !largest->second.empty()) to_system(take(largest->first, largest->second));
    }
  }

  const bool passes_through_ = pass_through();
  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;
  MemoryStats stats_;
  std::int64_t most_in_use_ = 0;  // since the start
};

// Never destroyed: tensors with static lifetime may return their memory after main.
CpuAllocator& cpu_allocator() {
  static auto* allocator = new CpuAllocator;
  return *allocator;
}

}  // namespace

namespace kernels {
// The CUDA versions of these stand in kernels/cuda/allocator.cu.
void* allocate(Cuda device, std::size_t bytes);
void deallocate(Cuda device, void* pointer, std::size_t bytes) noexcept;
MemoryStats memory_stats(Cuda device);
void reset_peak_memory(Cuda device);
void empty_cache(Cuda device);

static void* allocate(Cpu, std::size_t bytes) { return cpu_allocator().allocate(bytes); }
static void deallocate(Cpu, void* pointer, std::size_t bytes) noexcept { cpu_allocator().deallocate(pointer, bytes); }
static MemoryStats memory_stats(Cpu) { return cpu_allocator().stats(); }
static void reset_peak_memory(Cpu) { cpu_allocator().reset_peak(); }
static void empty_cache(Cpu) { cpu_allocator().release_cache(); }
}  // namespace kernels

void* allocate(Device device, std::size_t bytes) {
  return on_device(device, [&](auto d) { return kernels::allocate(d, bytes); });
}

void deallocate(Device device, void* pointer, std::size_t bytes) noexcept {
  on_device(device, [&](auto d) { kernels::deallocate(d, pointer, bytes); });
}

MemoryStats memory_stats(Device device) {
  return on_device(device, [](auto d) { return kernels::memory_stats(d); });
}

void reset_peak_memory(Device device) {
  on_device(device, [](auto d) { kernels::reset_peak_memory(d); });
}

void empty_cache(Device device) {
  on_device(device, [](auto d) { kernels::empty_cache(d); });
}

}  // namespace deft
