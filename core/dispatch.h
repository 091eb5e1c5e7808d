// From a tensor to the kernel for its device and its element type.
#pragma once

#include <utility>

#include "deft/core/tensor.h"
#include "deft/kernels/runtime/dispatch.h"

namespace deft {

/// Calls `function.operator()<T>(place)` with the type of x's elements and the place whose kernels run on its device:
/// `dispatch(x, [&]<class T>(auto place) { kernels::fill<T>(place, x.numel(), 1, x.mutable_data<T>()); })`.
template <class Function>
decltype(auto) dispatch(const Tensor& x, Function&& function) {
  return on_place(x.device(), [&](auto place) {
    return visit_dtype(x.dtype(), [&]<class T>() { return function.template operator()<T>(place); });
  });
}

/// For float32 and float64 only. Throws Error in the name of operation `op` for the others.
template <class Function>
decltype(auto) dispatch_floating(const Tensor& x, const char* op, Function&& function) {
  return on_place(x.device(), [&](auto place) {
    return visit_floating(x.dtype(), op, [&]<class T>() { return function.template operator()<T>(place); });
  });
}

/// For float32, float64 and int64 only. Throws Error in the name of operation `op` for the others.
template <class Function>
decltype(auto) dispatch_signed(const Tensor& x, const char* op, Function&& function) {
  return on_place(x.device(), [&](auto place) {
    return visit_signed(x.dtype(), op, [&]<class T>() { return function.template operator()<T>(place); });
  });
}

}  // namespace deft
