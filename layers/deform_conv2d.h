// Deformable convolution: Dai et al. 2017 (arXiv:1703.06211); modulated (v2): Zhu et al. 2018 (arXiv:1811.11168).
#pragma once

#include <cstdint>
#include <optional>

#include "deft/layers/conv2d.h"
#include "deft/layers/module.h"
#include "deft/layers/options.h"

namespace deft {

/// What deform_conv2d takes besides input, offset and weight.
struct DeformConv2dFunctionOptions {
  Tensor mask = {};  ///< [N, H_out, W_out, offset_groups · kernel_h · kernel_w], or undefined: all ones (v1)
  Tensor bias = {};  ///< [O] or undefined
  Size2 stride = 1;
  Padding2 padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  std::int64_t offset_groups = 1;  ///< sets of offsets; input channel j uses set ⌊j / (C / offset_groups)⌋
};

/// conv2d whose taps are displaced: offset [N, H_out, W_out, 2 · offset_groups · kernel_h · kernel_w], in pixels, holds
/// (dy, dx) for each tap, row by row, offset groups outermost. Taps sample the input [N, H, W, C] bilinearly, with
/// zeros outside, and are multiplied by the mask. Borders, whole positions and their one-sided derivatives are as in
/// torchvision.ops.deform_conv2d; a NaN position samples NaN, infinite ones zero. float32, float64; differentiable in
/// all tensors. Throws Error for shapes that do not fit and options out of range.
Tensor deform_conv2d(const Tensor& input, const Tensor& offset, const Tensor& weight,
                     const DeformConv2dFunctionOptions& options = {});

struct DeformConv2dOptions {
  Size2 kernel_size = 3;
  Size2 stride = 1;
  Padding2 padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
  std::int64_t offset_groups = 1;
  bool bias = true;
  bool modulated = false;                            ///< v2: with a mask
  double mask_scale = 1;                             ///< mask = mask_scale · sigmoid(mask_conv(input))
  std::optional<double> offset_clamp = {};           ///< offsets are clamped to ± this many pixels …
  std::optional<double> offset_clamp_fraction = {};  ///< … or to ± this share of the input's longer side
  bool offset_bias = true;                           ///< bias of offset_conv and mask_conv
  bool zero_offset_init = true;                      ///< these start at zero; else like any Conv2d
};

/// deform_conv2d with weight, bias, and the convolutions that predict offset and mask from the input, "offset_conv" and
/// (if modulated) "mask_conv", of the same kernel size, stride, padding and dilation; the two run as one. Weight and
/// bias are initialised as in Conv2d.
class DeformConv2d : public Module {
 public:
  /// Throws Error for channels below 1, groups that do not divide them, options out of range, and both clamps at once.
  DeformConv2d(std::int64_t in_channels, std::int64_t out_channels, const DeformConv2dOptions& options = {});

  Tensor forward(const Tensor& input) override;
  const DeformConv2dOptions& options() const { return options_; }

  /// The offsets that forward() uses for this input, clamped.
  Tensor offset(const Tensor& input);

  Parameter weight, bias;
  Conv2d offset_conv;
  std::optional<Conv2d> mask_conv;

 private:
  struct Positions {
    Tensor offset, mask;
  };

  Positions positions(const Tensor& input);

  DeformConv2dOptions options_;
};

}  // namespace deft
