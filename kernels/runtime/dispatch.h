// What switches on the device; core/dispatch.h does so for tensors.
#pragma once

#include <utility>

#include "deft/kernels/runtime/device.h"
#include "deft/kernels/runtime/error.h"

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

}  // namespace deft
