// Contract of the kernels that take apart what a modulated deformable layer's side convolution predicts.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/contract.h"

namespace deft::kernels {

/// prediction [points, 3 · taps]  what the convolution gives: offsets, then the mask's logits
/// offset     [points, 2 · taps]
/// mask       [points, taps]
///
/// `taps` counts those of all offset groups. Sizes may be zero.
struct DeformPositionsShape {
  std::int64_t points = 0, taps = 0;
  double offset_limit = 0;  ///< offsets are clamped to ± this; may be infinite
  double mask_scale = 1;
};

/// offset = min(max(prediction, −offset_limit), offset_limit), mask = mask_scale · sigmoid(prediction); NaN stays NaN.
/// Overwrites both.
DEFT_CONTRACT((class T), void, deform_positions_forward, const DeformPositionsShape& shape, const T* prediction,
              T* offset, T* mask);

/// Gradient with respect to the prediction; as with torch.clamp none passes where an offset is NaN or beyond the limit,
/// but all where the limit is infinite. `mask` is what forward gave. Overwrites `grad_prediction`.
DEFT_CONTRACT((class T), void, deform_positions_backward, const DeformPositionsShape& shape, const T* grad_offset,
              const T* grad_mask, const T* prediction, const T* mask, T* grad_prediction);

}  // namespace deft::kernels
