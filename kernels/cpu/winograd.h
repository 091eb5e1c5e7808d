// Winograd's convolution F(4×4, 3×3) of float32 images: 36 products take the place of 144.
#pragma once

#include "deft/kernels/conv2d.h"
#include "deft/kernels/runtime/cpu/simd.h"

namespace deft::kernels::DEFT_SIMD {

enum class Conv2dPass { forward, backward_input, backward_weight };

/// Whether conv2d_algorithm() and the measured rule choose Winograd's algorithm for this pass of a convolution.
bool winograd_chosen(const Conv2dShape& shape, Conv2dPass pass);

// As the functions of conv2d.h, for shapes that winograd_chosen accepts.

void winograd_forward(const Conv2dShape& shape, const float* input, const float* weight, const float* bias,
                      float* output);
void winograd_backward_input(const Conv2dShape& shape, const float* grad_output, const float* weight,
                             float* grad_input);
void winograd_backward_weight(const Conv2dShape& shape, const float* input, const float* grad_output,
                              float* grad_weight, float* grad_bias);

}  // namespace deft::kernels::DEFT_SIMD
