// What the layers with a fixed pooling window check in common.
#pragma once

#include "deft/core/autograd.h"
#include "deft/core/tensor.h"
#include "deft/kernels/pool2d.h"
#include "deft/layers/options.h"

namespace deft::detail {

/// Throws Error in the name of `op` unless `input` is [N, H, W, C] with at least one pixel.
void require_images(const char* op, const Tensor& input);

/// Sizes of a pooling; a stride of 0 stands for the kernel's size. Throws Error in the name of `op` for an input that
/// is not [N, H, W, C] and for windows that do not fit.
kernels::Pool2dShape pool2d_shape(const char* op, const Tensor& input, Size2 kernel_size, Size2 stride,
                                  const Padding2& padding, bool ceil_mode);

/// The same as attributes of the operation, for traces.
Attributes pool2d_attributes(const kernels::Pool2dShape& shape);

/// Where the pooling reads its input.
TraceInfo pool2d_info(const kernels::Pool2dShape& shape);

/// An uninitialised [n, h_out, w_out, c] like `input`.
Tensor empty_output(const Tensor& input, std::int64_t h_out, std::int64_t w_out);

}  // namespace deft::detail
