#include "deft/kernels/runtime/allocator.h"

#include "deft/kernels/runtime/detail/caching_allocator.h"
#include "deft/kernels/runtime/dispatch.h"

namespace deft {
namespace {

struct CpuMemory {
  static constexpr std::size_t alignment = 64;

  void* allocate(std::size_t bytes) const { return ::operator new(bytes, std::align_val_t(alignment), std::nothrow); }
  void deallocate(void* pointer) const noexcept { ::operator delete(pointer, std::align_val_t(alignment)); }
  // A training that repeats itself stays below: buffers of different sizes serve its different phases, and together
  // hold about three times what it uses at once.
  std::int64_t cache_limit(std::int64_t most_in_use) const { return std::max(std::int64_t{64} << 20, 4 * most_in_use); }
  std::string name() const { return "cpu"; }
};

// Never destroyed: tensors with static lifetime may return their memory after main.
CachingAllocator<CpuMemory>& cpu_allocator() {
  static auto* allocator = new CachingAllocator<CpuMemory>;
  return *allocator;
}

}  // namespace

namespace kernels {
// The CUDA versions of these stand in kernels/runtime/cuda/memory.cu.
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
