// Cases of other programs: their tensors are NCHW and hold one value but for a few elements.
#pragma once

#include <cstdint>
#include <vector>

#include "deft/core/shape_ops.h"
#include "deft/layers/deform_conv2d.h"

#include "golden/golden_file.h"

/// An element that differs from the others.
struct Element {
  std::int64_t n, c, y, x;
  double value;
};

/// A float64 tensor [N, C, H, W] of `fill` but for these elements.
inline deft::Tensor uniform_but(const deft::Shape& shape, double fill, const std::vector<Element>& elements = {}) {
  std::vector<double> values(static_cast<std::size_t>(shape.numel()), fill);
  for (const auto& [n, c, y, x, value] : elements) {
    values.at(static_cast<std::size_t>(((n * shape[1] + c) * shape[2] + y) * shape[3] + x)) = value;
  }
  return deft::from_vector(values, deft::Shape(shape));
}

/// deform_conv2d of input, offset, mask and result in NCHW and weight [O, C / groups, kernel_h, kernel_w].
inline deft::Tensor deform_conv2d_nchw(const deft::Tensor& input, const deft::Tensor& offset,
                                       const deft::Tensor& weight, deft::DeformConv2dFunctionOptions options = {}) {
  if (options.mask.defined()) options.mask = to_channels_last(options.mask);
  return to_channels_first(
      deform_conv2d(to_channels_last(input), to_channels_last(offset), to_channels_last(weight), options));
}
