// Elements of tensors that may be absent, as kernels take them: null for an undefined tensor.
#pragma once

#include "deft/core/tensor.h"

namespace deft {

template <class T>
const T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

template <class T>
T* mutable_data_or_null(Tensor tensor) {
  return tensor.defined() ? tensor.mutable_data<T>() : nullptr;
}

}  // namespace deft
