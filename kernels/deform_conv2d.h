// Contract of the deformable convolution kernels (Dai et al. 2017, arXiv:1703.06211; modulated: Zhu et al. 2018,
// arXiv:1811.11168), with the semantics of torchvision.ops.deform_conv2d.
#pragma once

#include <cstdint>

#include "deft/kernels/conv2d.h"
#include "deft/kernels/runtime/contract.h"

namespace deft::kernels {

/// A Conv2dShape and the offset groups. Besides the tensors of conv2d:
///
/// offset [n, h_out(), w_out(), 2 · offset_groups · taps()]  pixels; (dy, dx) per tap, taps row by row, groups outermost
/// mask   [n, h_out(), w_out(), offset_groups · taps()]      factor of each sample; null means 1 everywhere (v1)
///
/// Input channel `j` uses the offsets of group `j / (c / offset_groups)`. A tap samples the input bilinearly at
/// y = i_out · stride_h − pad_top + i_tap · dilation_h + dy (x likewise), with zeros outside; it counts only where
/// −1 < y < h and −1 < x < w. Positions are tested in floating point before any conversion to an integer: no offset of
/// any bit pattern reads outside the image. A NaN position samples NaN. At integer positions the derivatives with
/// respect to y and x are torchvision's one-sided ones (from the cell of floor(y), floor(x)).
struct DeformConv2dShape : Conv2dShape {
  std::int64_t offset_groups = 1;
};

/// output = weight applied to the sampled taps, + bias; `mask` and `bias` may be null. Overwrites `output`.
DEFT_CONTRACT((class T), void, deform_conv2d_forward, const DeformConv2dShape& shape, const T* input, const T* offset,
              const T* mask, const T* weight, const T* bias, T* output);

/// Where the gradients go. Null pointers are not computed; the others are overwritten.
template <class T>
struct DeformConv2dGradients {
  T* input = nullptr;   ///< [n, h, w, c]
  T* offset = nullptr;  ///< shape of offset
  T* mask = nullptr;    ///< shape of mask; must be null when the mask is
  T* weight = nullptr;  ///< [o, kernel_h, kernel_w, c / groups]
  T* bias = nullptr;    ///< [o]
};

/// All gradients in one pass, since they share the sampling positions and the gradient of the sampled panel.
DEFT_CONTRACT((class T), void, deform_conv2d_backward, const DeformConv2dShape& shape, const T* input, const T* offset,
              const T* mask, const T* weight, const T* grad_output, const DeformConv2dGradients<T>& gradients);

}  // namespace deft::kernels
