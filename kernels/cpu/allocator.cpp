#include "deft/kernels/allocator.h"

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

class CpuAllocator {
 public:
  void* allocate(std::size_t bytes) {
    if (bytes == 0) return nullptr;
    const std::size_t rounded = passes_through_ ? bytes : size_class(bytes);
    {
      const std::lock_guard lock(mutex_);
      stats_.in_use += static_cast<std::int64_t>(bytes);
      if (stats_.in_use > stats_.peak_in_use) stats_.peak_in_use = stats_.in_use;
      if (const auto found = free_.find(rounded); found != free_.end() && !found->second.empty()) {
        void* pointer = found->second.back();
        found->second.pop_back();
        stats_.cached -= static_cast<std::int64_t>(rounded);
        return pointer;
      }
      ++stats_.allocations;
    }
    if (void* pointer = from_system(rounded)) return pointer;
    release_cache();
    if (void* pointer = from_system(rounded)) return pointer;
    const std::lock_guard lock(mutex_);
    stats_.in_use -= static_cast<std::int64_t>(bytes);
    throw Error("cpu: out of memory allocating " + std::to_string(bytes) + " bytes, " + std::to_string(stats_.in_use) +
                " in use");
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
          return;
        } catch (const std::bad_alloc&) {
          // No memory to remember the buffer by: the system takes it.
        }
      }
    }
    ::operator delete(pointer, std::align_val_t(alignment));
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
      for (void* pointer : pointers) ::operator delete(pointer, std::align_val_t(alignment));
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
    while (step * 16 <= bytes) step *= 2;
    return (bytes + step - 1) / step * step;
  }

  static void* from_system(std::size_t bytes) {
    return ::operator new(bytes, std::align_val_t(alignment), std::nothrow);
  }

  const bool passes_through_ = pass_through();
  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;
  MemoryStats stats_;
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
