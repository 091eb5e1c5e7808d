// The runtime's functions for memory and copies.
#include <cstring>
#include <string>
#include <vector>

#include "message.h"
#include "pinned_memory.h"
#include "runtime_error.h"
#include "stream.h"

using namespace cuda_emulator;

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

Device& current() { return *find_device(current_device_index()); }

// The device whose memory holds the address, null for the host.
Device* owner(const void* address) {
  for (int i = 0; Device* device = find_device(i); ++i) {
    if (device->memory.owns(address)) return device;
  }
  return nullptr;
}

void check_range(const char* call, const Device& device, const void* pointer, std::size_t bytes) {
  const std::string outside = device.memory.outside(pointer, bytes);
  if (!outside.empty()) fail(std::string(call) + ": " + outside + " on device " + std::to_string(device.index));
}

bool fits(cudaMemcpyKind kind, bool to_device, bool from_device) {
  switch (kind) {
    case cudaMemcpyHostToHost:
      return !to_device && !from_device;
    case cudaMemcpyHostToDevice:
      return to_device && !from_device;
    case cudaMemcpyDeviceToHost:
      return !to_device && from_device;
    case cudaMemcpyDeviceToDevice:
      return to_device && from_device;
    case cudaMemcpyDefault:
      return true;
  }
  return false;
}

// Opens the memory of devices whose stream this is not.
void copy_now(void* destination, const void* source, std::size_t bytes) {
  Device *to = owner(destination), *from = owner(source);
  const OpenMemory open_to(to != nullptr ? *to : current()), open_from(from != nullptr ? *from : current());
  std::memcpy(destination, source, bytes);
  if (to != nullptr) to->memory.touch(destination);
}

cudaError_t copy(const char* call, void* destination, const void* source, std::size_t bytes, cudaMemcpyKind kind,
                 const std::shared_ptr<Stream>& stream) {
  if (bytes == 0) return cudaSuccess;
  const Device *to = owner(destination), *from = owner(source);
  if (!fits(kind, to != nullptr, from != nullptr)) return report(cudaErrorInvalidValue);
  if (to != nullptr) check_range(call, *to, destination, bytes);
  if (from != nullptr) check_range(call, *from, source, bytes);
  if (from == nullptr && !is_pinned(source)) {
    // Staged before the call returns.
    const auto* begin = static_cast<const char*>(source);
    give(stream, [staged = std::vector<char>(begin, begin + bytes), destination] {
      copy_now(destination, staged.data(), staged.size());
    });
  } else {
    give(stream, [=] { copy_now(destination, source, bytes); });
  }
  // Copies to memory that is not pinned return when they are done.
  if (to == nullptr && !is_pinned(destination)) run_until(end_of(stream));
  return cudaSuccess;
}

cudaError_t set(const char* call, void* destination, int value, std::size_t bytes,
                const std::shared_ptr<Stream>& stream) {
  if (bytes == 0) return cudaSuccess;
  Device* device = owner(destination);
  if (device == nullptr) return report(cudaErrorInvalidValue);
  check_range(call, *device, destination, bytes);
  give(stream, [=] {
    std::memset(destination, value, bytes);
    device->memory.touch(destination);
  });
  return cudaSuccess;
}

}  // namespace

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  const Lock lock(mutex());
  *pointer = bytes == 0 ? nullptr : current().memory.allocate(bytes);
  return bytes > 0 && *pointer == nullptr ? report(cudaErrorMemoryAllocation) : cudaSuccess;
}

cudaError_t cudaFree(void* pointer) {
  const Lock lock(mutex());
  if (pointer == nullptr) return cudaSuccess;
  Device* device = owner(pointer);
  if (device == nullptr) fail("cudaFree: the pointer does not come from cudaMalloc");
  run_all(*device);
  if (!device->memory.release(pointer)) fail("cudaFree: the memory was freed before, or the pointer is not its start");
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
  const Lock lock(mutex());
  *pointer = bytes == 0 ? nullptr : allocate_pinned(bytes);
  return bytes > 0 && *pointer == nullptr ? report(cudaErrorMemoryAllocation) : cudaSuccess;
}

cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned) { return cudaMallocHost(pointer, bytes); }

cudaError_t cudaFreeHost(void* pointer) {
  const Lock lock(mutex());
  if (pointer == nullptr) return cudaSuccess;
  for (int i = 0; Device* device = find_device(i); ++i) run_all(*device);
  if (!release_pinned(pointer))
    fail("cudaFreeHost: the pointer does not come from cudaMallocHost, or was freed before");
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  const Lock lock(mutex());
  *free_bytes = current().memory.free_bytes();
  *total_bytes = current().memory.capacity();
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* destination, const void* source, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const Lock lock(mutex());
  return copy("cudaMemcpyAsync", destination, source, bytes, kind, find_stream(stream, "cudaMemcpyAsync"));
}

cudaError_t cudaMemcpy(void* destination, const void* source, std::size_t bytes, cudaMemcpyKind kind) {
  const Lock lock(mutex());
  const auto& stream = current().legacy_stream;
  const cudaError_t status = copy("cudaMemcpy", destination, source, bytes, kind, stream);
  // Between two places on the device it does not wait.
  if (owner(destination) == nullptr || owner(source) == nullptr) run_until(end_of(stream));
  return status;
}

cudaError_t cudaMemcpyPeerAsync(void* destination, int to, const void* source, int from, std::size_t bytes,
                                cudaStream_t stream) {
  const Lock lock(mutex());
  if (find_device(to) == nullptr || find_device(from) == nullptr) return report(cudaErrorInvalidDevice);
  if (bytes > 0) check_range("cudaMemcpyPeerAsync", *find_device(to), destination, bytes);
  if (bytes > 0) check_range("cudaMemcpyPeerAsync", *find_device(from), source, bytes);
  return copy("cudaMemcpyPeerAsync", destination, source, bytes, cudaMemcpyDeviceToDevice,
              find_stream(stream, "cudaMemcpyPeerAsync"));
}

cudaError_t cudaMemcpyPeer(void* destination, int to, const void* source, int from, std::size_t bytes) {
  return cudaMemcpyPeerAsync(destination, to, source, from, bytes, nullptr);
}

cudaError_t cudaMemsetAsync(void* destination, int value, std::size_t bytes, cudaStream_t stream) {
  const Lock lock(mutex());
  return set("cudaMemsetAsync", destination, value, bytes, find_stream(stream, "cudaMemsetAsync"));
}

cudaError_t cudaMemset(void* destination, int value, std::size_t bytes) {
  const Lock lock(mutex());
  return set("cudaMemset", destination, value, bytes, current().legacy_stream);
}
