#include "deft/kernels/runtime/memory.h"

#include <cstring>

#include "deft/kernels/runtime/dispatch.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft {
namespace kernels {

constexpr std::int64_t block_bytes = 1 << 18;

// The CUDA versions, for copies in which a GPU takes part, stand in kernels/runtime/cuda/memory.cu.
void copy_memory(Device to, void* destination, Device from, const void* source, std::size_t bytes);

// In kernels/runtime/cuda/context.cu.
void synchronize(Cuda device);

static void synchronize(Cpu) {}

}  // namespace kernels

void copy_memory(Device to, void* destination, Device from, const void* source, std::size_t bytes) {
  if (to.is_cpu() && from.is_cpu()) {
    parallel_blocks(static_cast<std::int64_t>(bytes), kernels::block_bytes, [&](std::int64_t begin, std::int64_t end) {
      std::memcpy(static_cast<char*>(destination) + begin, static_cast<const char*>(source) + begin,
                  static_cast<std::size_t>(end - begin));
    });
    return;
  }
  if constexpr (built_with_cuda) {
    kernels::copy_memory(to, destination, from, source, bytes);
  } else {
    require_device(to.is_cuda() ? to : from);
  }
}

void synchronize(Device device) {
  on_device(device, [](auto d) { kernels::synchronize(d); });
}

}  // namespace deft
