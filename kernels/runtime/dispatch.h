// What switches on the device; core/dispatch.h does so for tensors.
#pragma once

#include <type_traits>
#include <utility>

#include "deft/kernels/runtime/contract.h"
#include "deft/kernels/runtime/device.h"
#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/instruction_set.h"

namespace deft {

#ifdef DEFT_WITH_CUDA
inline constexpr bool built_with_cuda = true;
#else
inline constexpr bool built_with_cuda = false;
#endif

/// Calls `function(kernels::Cpu{})` or `function(kernels::Cuda{index})`, whichever `device` names, so that
/// `on_device(device, [](auto d) { kernels::synchronize(d); })` reaches the right overload.
/// A build without CUDA does not instantiate the second call and throws Error instead.
template <class Function>
decltype(auto) on_device(Device device, Function&& function) {
  if constexpr (built_with_cuda) {
    if (device.is_cuda()) return std::forward<Function>(function)(kernels::Cuda{device.index});
  } else if (device.is_cuda()) {
    throw Error(to_string(device) + ": this deft was built without CUDA");
  }
  return std::forward<Function>(function)(kernels::Cpu{});
}

/// Calls `function` with the place whose kernels run on `device`: a Cuda, or the Set of the machine's instruction set,
/// so that `on_place(device, [&](auto place) { kernels::fill(place, ...); })` reaches the right one.
template <class Function>
decltype(auto) on_place(Device device, Function&& function) {
  return on_device(device, [&](auto d) -> decltype(auto) {
    if constexpr (std::is_same_v<decltype(d), kernels::Cuda>) {
      return function(d);
    } else {
      switch (instruction_set()) {
#ifdef DEFT_HAVE_AVX512
        case InstructionSet::avx512:
          return function(kernels::simd_avx512::Set{});
#endif
#ifdef DEFT_HAVE_AVX2
        case InstructionSet::avx2:
          return function(kernels::simd_avx2::Set{});
#endif
        default:
          return function(kernels::simd_baseline::Set{});
      }
    }
  });
}

}  // namespace deft
