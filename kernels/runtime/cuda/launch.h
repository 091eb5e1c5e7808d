// How CUDA kernels are declared and started, so that the same .cu files compile with nvcc and, as plain C++, for the
// emulator in tests/cuda_emulator.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "deft/kernels/runtime/error.h"

// The namespace of what kernels of both devices share the source of; kernels/runtime/cpu/kernel.h has the CPU's.
#define DEFT_PLACE cuda_place

namespace deft::kernels {

/// Throws Error with the call, where it stands and what CUDA says, unless `status` is cudaSuccess.
void check_cuda(cudaError_t status, const char* call, const char* file, int line);

#define DEFT_CUDA_CHECK(call) ::deft::kernels::check_cuda(call, #call, __FILE__, __LINE__)

// The emulator's cuda_runtime.h defines DEFT_CUDA_EMULATED, DEFT_SHARED and dynamic_shared itself.
#ifndef DEFT_CUDA_EMULATED

/// Declares `name`, an array of n elements of T shared by the block; n is a constant.
#define DEFT_SHARED(T, name, n) __shared__ T name[n]

/// The shared memory whose size launch() was given, aligned to 16 bytes.
template <class T>
__device__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char deft_dynamic_shared[];
  return reinterpret_cast<T*>(deft_dynamic_shared);
}

#endif

// Before a loop over registers: it must unroll completely, or the array lands in memory. And before a loop that must
// not, since the compiler would hold more in registers than there are. The emulator's compiler decides for itself:
// unrolled code takes it minutes and makes tests no faster.
#ifdef DEFT_CUDA_EMULATED
#define DEFT_UNROLL
#define DEFT_NO_UNROLL
#else
#define DEFT_UNROLL _Pragma("unroll")
#define DEFT_NO_UNROLL _Pragma("unroll 1")
#endif

/// Number of blocks of a launch, and where the launch stands in the source (for messages).
struct Grid {
  Grid(dim3 blocks, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : blocks(blocks), file(file), line(line) {}
  Grid(std::int64_t blocks, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : blocks(static_cast<unsigned>(blocks)), file(file), line(line) {}

  dim3 blocks;
  const char* file;
  int line;
};

/// Shared memory that every kernel may use; more must be asked for.
inline constexpr std::size_t default_shared_bytes = 48 << 10;

/// Starts kernel(arguments...) on the stream; returns at once. A grid without blocks starts nothing. Throws Error when
/// the launch is refused.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), Grid grid, dim3 block, std::size_t shared_bytes, cudaStream_t stream,
            Arguments&&... arguments) {
  if (grid.blocks.x == 0 || grid.blocks.y == 0 || grid.blocks.z == 0) return;
  const auto function = reinterpret_cast<const void*>(kernel);
  if (shared_bytes > default_shared_bytes) {
    check_cuda(
        cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)),
        "cudaFuncSetAttribute", grid.file, grid.line);
  }
#ifdef DEFT_CUDA_EMULATED
  const cudaError_t status =
      cuda_emulator::launch(kernel, grid.blocks, block, shared_bytes, stream, grid.file, grid.line,
                            std::tuple<Parameters...>(std::forward<Arguments>(arguments)...));
#else
  std::tuple<Parameters...> values(std::forward<Arguments>(arguments)...);
  const cudaError_t status = std::apply(
      [&](Parameters&... value) {
        // The last one only keeps the array from being empty.
        void* pointers[] = {const_cast<void*>(static_cast<const void*>(&value))..., nullptr};
        return cudaLaunchKernel(function, grid.blocks, block, pointers, shared_bytes, stream);
      },
      values);
#endif
  check_cuda(status, "kernel launch", grid.file, grid.line);
}

/// Threads of a block where nothing speaks for another number.
inline constexpr int block_threads = 256;

/// Blocks of a grid-stride loop over n elements: enough to fill any GPU, few enough that each thread has several.
inline std::int64_t blocks_for(std::int64_t n, int threads = block_threads) {
  constexpr std::int64_t most = 4096;
  return std::min((n + threads - 1) / threads, most);
}

/// The first index of a grid-stride loop and its step: for (i = first_index(); i < n; i += index_step()).
__device__ inline std::int64_t first_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline std::int64_t index_step() { return static_cast<std::int64_t>(gridDim.x) * blockDim.x; }

}  // namespace deft::kernels
