// Starting kernels, and their shared memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <vector>

#include "runtime_api.h"
#include "vector_types.h"

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
inline constexpr int warpSize = 32;

namespace cuda_emulator {

/// A kernel with its arguments; called once per thread, with threadIdx and blockIdx set.
class KernelCall {
 public:
  virtual ~KernelCall() = default;
  virtual void operator()() const = 0;
};

/// One launch as the stream holds it.
struct Launch {
  const void* kernel;  // the function, for its name
  dim3 grid, block;
  std::size_t shared_bytes;
  const char* file;
  int line;
  std::shared_ptr<const KernelCall> call;
  std::vector<const void*> pointers;  // those among the arguments
};

/// Puts the launch on the stream, or says why it is refused as CUDA would.
cudaError_t enqueue_launch(Launch launch, cudaStream_t stream);

template <class... Parameters>
cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes, cudaStream_t stream,
                   const char* file, int line, std::tuple<Parameters...> arguments) {
  static_assert((std::is_trivially_copyable_v<Parameters> && ...), "arguments of a kernel are copied as bytes");
  struct Call final : KernelCall {
    Call(void (*kernel)(Parameters...), const std::tuple<Parameters...>& arguments)
        : kernel(kernel), arguments(arguments) {}
    void operator()() const override { std::apply(kernel, arguments); }
    void (*kernel)(Parameters...);
    std::tuple<Parameters...> arguments;
  };
  std::vector<const void*> pointers;
  const auto add = [&](const auto& argument) {
    if constexpr (std::is_pointer_v<std::decay_t<decltype(argument)>>) pointers.push_back(argument);
  };
  std::apply([&](const auto&... argument) { (add(argument), ...); }, arguments);
  return enqueue_launch({reinterpret_cast<const void*>(kernel), grid, block, shared_bytes, file, line,
                         std::make_shared<Call>(kernel, arguments), std::move(pointers)},
                        stream);
}

/// One declaration of shared memory: a heap block of its own, filled anew for each block of threads that reaches it.
struct SharedArray {
  void* data = nullptr;
  std::uint64_t block = 0;  // for which it was filled last
};

/// Counts the blocks of threads that ran.
extern std::uint64_t current_block;

void fill_shared_array(SharedArray& array, std::size_t bytes, std::size_t alignment);

template <class Declaration>
inline SharedArray shared_array_of;

/// `Declaration` is a type that stands for the place of the declaration, another one in each instance of a template.
template <class T, std::size_t n, class Declaration>
T (&shared_array(Declaration))
[n] {
  SharedArray& array = shared_array_of<Declaration>;
  if (array.block != current_block) fill_shared_array(array, sizeof(T) * n, alignof(T));
  return *static_cast<T(*)[n]>(array.data);
}

void* dynamic_shared_memory();

}  // namespace cuda_emulator

/// As kernels/runtime/cuda/launch.h says of them.
#define DEFT_SHARED(T, name, n) T(&name)[n] = ::cuda_emulator::shared_array<T, n>([] {})

namespace deft::kernels {

template <class T>
T* dynamic_shared() {
  return static_cast<T*>(::cuda_emulator::dynamic_shared_memory());
}

}  // namespace deft::kernels
