// Memory of a GPU, and copies in which one takes part.
#include <cstring>
#include <deque>
#include <mutex>
#include <utility>

#include "deft/kernels/runtime/cuda/context.h"
#include "deft/kernels/runtime/detail/caching_allocator.h"
#include "deft/kernels/runtime/dispatch.h"
#include "deft/kernels/runtime/memory.h"

namespace deft {
namespace kernels {
namespace {

struct GpuMemory {
  static constexpr std::size_t alignment = 256;
  int index = 0;

  void* allocate(std::size_t bytes) const {
    context(Cuda{index});
    void* pointer = nullptr;
    const cudaError_t status = cudaMalloc(&pointer, bytes);
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();  // the next check would find it again
      return nullptr;
    }
    DEFT_CUDA_CHECK(status);
    return pointer;
  }
  // Waits for the work of the GPU, which may still use the memory. Fails only after an error that others report.
  void deallocate(void* pointer) const noexcept { cudaFree(pointer); }
  std::int64_t cache_limit(std::int64_t) const { return PTRDIFF_MAX; }
  std::string name() const { return to_string(Device::cuda(index)); }
};

/// Page-locked host memory through which copies to and from a GPU go, so that they need not wait for each other. Copies
/// lie side by side in one of two buffers until it is full; only to begin with a buffer again its copies must be done.
class Staging {
 public:
  /// A batch of images fits, so that the host can prepare the next one while the GPU works.
  static constexpr std::size_t buffer_bytes = std::size_t{16} << 20;

  /// Copies to the GPU; `source` may be changed on return, while the copy still waits on the stream.
  void upload(Context& context, char* destination, const char* source, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    for_pieces(bytes, [&](const Piece& piece) {
      std::memcpy(piece.data, source + piece.at, piece.bytes);
      DEFT_CUDA_CHECK(
          cudaMemcpyAsync(destination + piece.at, piece.data, piece.bytes, cudaMemcpyHostToDevice, context.stream));
      DEFT_CUDA_CHECK(cudaEventRecord(piece.buffer->done, context.stream));
    });
  }

  /// Copies from the GPU, after the work on the stream; returns when `destination` is filled.
  void download(Context& context, char* destination, const char* source, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    Piece pending;
    const auto deliver = [&] {
      wait(*pending.buffer);
      std::memcpy(destination + pending.at, pending.data, pending.bytes);
    };
    for_pieces(bytes, [&](const Piece& piece) {
      DEFT_CUDA_CHECK(
          cudaMemcpyAsync(piece.data, source + piece.at, piece.bytes, cudaMemcpyDeviceToHost, context.stream));
      DEFT_CUDA_CHECK(cudaEventRecord(piece.buffer->done, context.stream));
      if (pending.buffer != nullptr) deliver();
      pending = piece;
    });
    if (pending.buffer != nullptr) deliver();
    check_fault(context);
  }

 private:
  struct Buffer {
    char* data = nullptr;
    cudaEvent_t done = nullptr;  // of its last copy
    std::size_t used = buffer_bytes;
  };

  // What one buffer holds of a copy: `bytes` bytes, `at` bytes from the beginning.
  struct Piece {
    Buffer* buffer = nullptr;
    char* data = nullptr;
    std::size_t at = 0, bytes = 0;
  };

  // Calls body for the pieces of a copy in order; those that follow each other lie in different buffers.
  template <class Body>
  void for_pieces(std::size_t bytes, Body&& body) {
    for (std::size_t at = 0; at < bytes;) {
      if (buffers_[current_].used == buffer_bytes) take_other_buffer();
      Buffer& buffer = buffers_[current_];
      const Piece piece{&buffer, buffer.data + buffer.used, at, std::min(buffer_bytes - buffer.used, bytes - at)};
      body(piece);
      constexpr std::size_t alignment = 256;
      buffer.used += (piece.bytes + alignment - 1) / alignment * alignment;  // buffer_bytes is a multiple
      at += piece.bytes;
    }
  }

  void take_other_buffer() {
    Buffer& buffer = buffers_[1 - current_];
    if (buffer.done == nullptr) {
      DEFT_CUDA_CHECK(cudaMallocHost(reinterpret_cast<void**>(&buffer.data), buffer_bytes));
      DEFT_CUDA_CHECK(cudaEventCreateWithFlags(&buffer.done, cudaEventDisableTiming));
    }
    wait(buffer);
    buffer.used = 0;
    current_ = 1 - current_;
  }

  static void wait(const Buffer& buffer) { DEFT_CUDA_CHECK(cudaEventSynchronize(buffer.done)); }

  std::mutex mutex_;
  Buffer buffers_[2];
  int current_ = 0;
};

struct GpuState {
  explicit GpuState(int index) : allocator(GpuMemory{index}) {}
  CachingAllocator<GpuMemory> allocator;
  Staging staging;
};

// Never destroyed: tensors with static lifetime may return their memory after main.
GpuState& state(int index) {
  static auto* mutex = new std::mutex;
  static auto* states = new std::deque<GpuState>;
  const std::lock_guard lock(*mutex);
  // The driver is asked once only: it may be gone when the last memory is returned.
  if (index < 0 || index >= static_cast<int>(states->size())) {
    require_device(Device::cuda(index));
    while (static_cast<int>(states->size()) <= index) states->emplace_back(static_cast<int>(states->size()));
  }
  return (*states)[static_cast<std::size_t>(index)];
}

// Copies between two GPUs wait for the source's stream and are ordered on the destination's.
void copy_between(int to, void* destination, int from, const void* source, std::size_t bytes) {
  synchronize(Device::cuda(from));
  const cudaStream_t stream = context(Cuda{to}).stream;
  DEFT_CUDA_CHECK(cudaMemcpyPeerAsync(destination, to, source, from, bytes, stream));
  DEFT_CUDA_CHECK(cudaStreamSynchronize(stream));
}

}  // namespace

void* allocate(Cuda device, std::size_t bytes) { return state(device.index).allocator.allocate(bytes); }
void deallocate(Cuda device, void* pointer, std::size_t bytes) noexcept {
  state(device.index).allocator.deallocate(pointer, bytes);
}
MemoryStats memory_stats(Cuda device) { return state(device.index).allocator.stats(); }
void reset_peak_memory(Cuda device) { state(device.index).allocator.reset_peak(); }
void empty_cache(Cuda device) { state(device.index).allocator.release_cache(); }

void copy_memory(Device to, void* destination, Device from, const void* source, std::size_t bytes) {
  if (bytes == 0) return;
  if (to.is_cpu()) {
    state(from.index)
        .staging.download(context(Cuda{from.index}), static_cast<char*>(destination), static_cast<const char*>(source),
                          bytes);
  } else if (from.is_cpu()) {
    state(to.index).staging.upload(context(Cuda{to.index}), static_cast<char*>(destination),
                                   static_cast<const char*>(source), bytes);
  } else if (to.index == from.index) {
    const cudaStream_t stream = context(Cuda{to.index}).stream;
    DEFT_CUDA_CHECK(cudaMemcpyAsync(destination, source, bytes, cudaMemcpyDeviceToDevice, stream));
  } else {
    copy_between(to.index, destination, from.index, source, bytes);
  }
}

}  // namespace kernels
}  // namespace deft
