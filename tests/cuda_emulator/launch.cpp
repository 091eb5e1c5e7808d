// Launches: what CUDA refuses, and what runs when the stream comes to them.
#include <map>
#include <string>

#include "block.h"
#include "launch_check.h"
#include "message.h"
#include "pinned_memory.h"
#include "runtime_error.h"
#include "settings.h"
#include "stream.h"

namespace cuda_emulator {
namespace {

// Dynamic shared memory that a kernel may be given without asking.
constexpr std::size_t default_shared_bytes = 48 << 10;

std::map<const void*, std::size_t>& allowed_shared_bytes() {
  static auto* allowed = new std::map<const void*, std::size_t>;
  return *allowed;
}

cudaError_t check(const Launch& launch, const Stream& stream) {
  if (stream.device->index != current_device_index()) return cudaErrorInvalidResourceHandle;
  const dim3 &grid = launch.grid, &block = launch.block;
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  if (threads == 0 || block.x > 1024 || block.y > 1024 || block.z > 64 || threads > 1024 || grid.x == 0 ||
      grid.y == 0 || grid.z == 0 || grid.x > 0x7fffffffu || grid.y > 0xffffu || grid.z > 0xffffu) {
    return cudaErrorInvalidConfiguration;
  }
  const auto allowed = allowed_shared_bytes().find(launch.kernel);
  const std::size_t most = allowed == allowed_shared_bytes().end() ? default_shared_bytes : allowed->second;
  return launch.shared_bytes > most ? cudaErrorInvalidValue : cudaSuccess;
}

// A pointer that is no argument of its own (in a structure) goes unseen.
void check_pointers(const Launch& launch, const DeviceMemory& memory) {
  for (const void* pointer : launch.pointers) {
    if (pointer == nullptr || memory.owns(pointer) || is_pinned(pointer)) continue;
    fail(describe(launch) + " is given a pointer to memory that is neither its device's nor pinned");
  }
}

void run(const Launch& launch, const Settings& how, Device& device) {
  if (how.check_launches) {
    check_launch(launch, how, device.memory);
  } else {
    run_blocks(launch, how.poison, how.order);
    device.memory.touch_all();
  }
  const std::string overrun = device.memory.overrun();
  if (!overrun.empty()) fail(describe(launch) + " wrote " + overrun);
}

}  // namespace

cudaError_t enqueue_launch(Launch launch, cudaStream_t handle) {
  const std::lock_guard lock(mutex());
  const auto stream = find_stream(handle, "kernel launch");
  if (const cudaError_t status = check(launch, *stream); status != cudaSuccess) return report(status);
  check_pointers(launch, stream->device->memory);
  give(stream, [launch = std::move(launch), how = settings(), device = stream->device] { run(launch, how, *device); });
  return cudaSuccess;
}

}  // namespace cuda_emulator

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  using namespace cuda_emulator;
  const std::lock_guard lock(mutex());
  if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) return cudaSuccess;
  if (value < 0 || static_cast<std::size_t>(value) > settings().shared_bytes_per_block()) {
    return report(cudaErrorInvalidValue);
  }
  allowed_shared_bytes()[kernel] = static_cast<std::size_t>(value);
  return cudaSuccess;
}
