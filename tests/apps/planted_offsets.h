// Deformable convolutions that sample where a test says.
#pragma once

#include <vector>

#include "deft/core/autograd.h"
#include "deft/layers/deform_conv2d.h"

/// All taps of all cells of a 3×3 convolution get this offset.
inline void plant(deft::DeformConv2d& layer, double dy, double dx) {
  std::vector<float> bias;
  for (int tap = 0; tap < 9; ++tap) bias.insert(bias.end(), {static_cast<float>(dy), static_cast<float>(dx)});
  const deft::NoGrad no_grad;
  deft::Tensor target = layer.offset_conv.bias.get();
  target.copy_(deft::from_vector(bias, {18}, target.device()));
}
