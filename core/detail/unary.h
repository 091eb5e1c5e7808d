// The common part of the functions of one argument, in core and in layers.
#pragma once

#include "deft/core/autograd.h"
#include "deft/kernels/elementwise.h"

namespace deft::detail {

/// Writes function(x) to `result`, which may be the memory of x where the backward kernel reads the result, records it
/// as `op` and returns it. Throws Error in the name of `op` for types that the function does not take.
Tensor unary(const char* op, const kernels::Unary& function, const Tensor& x, Tensor result,
             Attributes attributes = {});

}  // namespace deft::detail
