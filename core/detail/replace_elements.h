// What moves and converts the parameters of modules.
#pragma once

#include "deft/core/tensor.h"

namespace deft::detail {

/// Puts the elements of `value`, with their type and device, behind every handle to `tensor`, which has no gradient;
/// the two share them from then on. Throws Error unless the shapes agree.
void replace_elements(Tensor& tensor, const Tensor& value);

}  // namespace deft::detail
