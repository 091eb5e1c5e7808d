#include "deft/core/detail/replace_elements.h"

#include <fmt/format.h>

#include "deft/core/detail/tensor_impl.h"
#include "deft/kernels/runtime/error.h"

namespace deft::detail {

void replace_elements(Tensor& tensor, const Tensor& value) {
  if (value.shape() != tensor.shape()) {
    throw Error(
        fmt::format("replace_elements: value is {}, expected {}", to_string(value.shape()), to_string(tensor.shape())));
  }
  TensorImpl& impl = *tensor.impl();
  impl.storage = value.impl()->storage;
  impl.offset = value.impl()->offset;
  impl.dtype = value.dtype();
}

}  // namespace deft::detail
