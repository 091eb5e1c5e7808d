// Deformable convolution without panels in device memory: samples and gradients of samples stay in shared memory.
#pragma once

#include "deft/kernels/cuda/deform_panel.h"
#include "deft/kernels/runtime/cuda/context.h"

namespace deft::kernels {

/// Whether deform_algorithm() and the shape ask for the fused kernels.
bool fused_deform_wanted(const ConvGeometry& g);

/// As deform_conv2d_forward. Does nothing and returns false where panels are wanted instead.
template <class T>
bool fused_deform_forward(Context& context, const ConvGeometry& g, const T* input, const TapOffsets<T>& offsets,
                          const T* weight, const T* bias, T* output);

/// grad_weight of deform_conv2d_backward, by the same rule.
template <class T>
bool fused_deform_weight_gradient(Context& context, const ConvGeometry& g, const T* input, const TapOffsets<T>& offsets,
                                  const T* grad_output, T* grad_weight);

/// The gradients of input (to which they are added), offset and mask, as far as they are wanted, by the same rule.
template <class T>
bool fused_deform_data_gradient(Context& context, const ConvGeometry& g, const T* input, const TapOffsets<T>& offsets,
                                const T* weight, const T* grad_output, const DeformConv2dGradients<T>& gradients);

}  // namespace deft::kernels
