// The oracle of the convolution kernels: plain loops in double over one element at a time, after torchvision's
// deform_conv2d where that is the definition. For tests of every implementation.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "deft/kernels/deform_conv2d.h"

namespace deft::naive {

using Values = std::vector<double>;

inline std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// A term of a convolution: output pixel, its channel, tap, and the input channel with its place in the group.
struct Term {
  std::int64_t n, i, j, o, tap, channel, in_group;
};

/// Calls body(term) for every product that a convolution of this shape sums.
template <class Body>
void for_terms(const kernels::Conv2dShape& s, Body&& body) {
  const std::int64_t inputs = s.c / s.groups, outputs = s.o / s.groups;
  for (std::int64_t n = 0; n < s.n; ++n)
    for (std::int64_t i = 0; i < s.h_out(); ++i)
      for (std::int64_t j = 0; j < s.w_out(); ++j)
        for (std::int64_t o = 0; o < s.o; ++o)
          for (std::int64_t tap = 0; tap < s.taps(); ++tap)
            for (std::int64_t c = 0; c < inputs; ++c) body(Term{n, i, j, o, tap, o / outputs * inputs + c, c});
}

inline std::size_t output_index(const kernels::Conv2dShape& s, const Term& t) {
  return index(((t.n * s.h_out() + t.i) * s.w_out() + t.j) * s.o + t.o);
}

inline std::size_t weight_index(const kernels::Conv2dShape& s, const Term& t) {
  return index((t.o * s.taps() + t.tap) * (s.c / s.groups) + t.in_group);
}

inline std::size_t pixel_index(const kernels::Conv2dShape& s, std::int64_t n, std::int64_t y, std::int64_t x,
                               std::int64_t channel) {
  return index(((n * s.h + y) * s.w + x) * s.c + channel);
}

inline std::int64_t tap_y(const kernels::Conv2dShape& s, const Term& t) {
  return t.i * s.stride_h - s.pad_top + t.tap / s.kernel_w * s.dilation_h;
}

inline std::int64_t tap_x(const kernels::Conv2dShape& s, const Term& t) {
  return t.j * s.stride_w - s.pad_left + t.tap % s.kernel_w * s.dilation_w;
}

/// Output that holds the bias (or zeros where `bias` is empty).
inline Values biased_output(const kernels::Conv2dShape& s, const Values& bias) {
  Values output(index(s.n * s.h_out() * s.w_out() * s.o), 0.0);
  for (std::size_t k = 0; k < output.size() && !bias.empty(); ++k) output[k] = bias[k % bias.size()];
  return output;
}

inline Values bias_gradient(const kernels::Conv2dShape& s, const Values& grad_output) {
  Values gradient(index(s.o), 0.0);
  for (std::size_t k = 0; k < grad_output.size(); ++k) gradient[k % gradient.size()] += grad_output[k];
  return gradient;
}

inline Values conv2d(const kernels::Conv2dShape& s, const Values& input, const Values& weight, const Values& bias) {
  Values output = biased_output(s, bias);
  for_terms(s, [&](const Term& t) {
    const std::int64_t y = tap_y(s, t), x = tap_x(s, t);
    if (y < 0 || y >= s.h || x < 0 || x >= s.w) return;
    output[output_index(s, t)] += input[pixel_index(s, t.n, y, x, t.channel)] * weight[weight_index(s, t)];
  });
  return output;
}

struct Gradients {
  Values input, offset, mask, weight, bias;
};

/// Gradients of input, weight and bias.
inline Gradients conv2d_backward(const kernels::Conv2dShape& s, const Values& input, const Values& weight,
                                 const Values& grad_output) {
  Gradients g;
  g.input.assign(input.size(), 0.0);
  g.weight.assign(weight.size(), 0.0);
  g.bias = bias_gradient(s, grad_output);
  for_terms(s, [&](const Term& t) {
    const std::int64_t y = tap_y(s, t), x = tap_x(s, t);
    if (y < 0 || y >= s.h || x < 0 || x >= s.w) return;
    const double gradient = grad_output[output_index(s, t)];
    g.input[pixel_index(s, t.n, y, x, t.channel)] += gradient * weight[weight_index(s, t)];
    g.weight[weight_index(s, t)] += gradient * input[pixel_index(s, t.n, y, x, t.channel)];
  });
  return g;
}

/// One sample of a deformable convolution: its place among the mask's values, and the position it reads.
struct Position {
  std::size_t entry;
  double y, x;
};

inline Position position(const kernels::DeformConv2dShape& s, const Term& t, const Values& offset) {
  const std::int64_t group = t.channel / (s.c / s.offset_groups);
  const std::size_t entry =
      index((((t.n * s.h_out() + t.i) * s.w_out() + t.j) * s.offset_groups + group) * s.taps() + t.tap);
  return {entry, static_cast<double>(tap_y(s, t)) + offset[2 * entry],
          static_cast<double>(tap_x(s, t)) + offset[2 * entry + 1]};
}

/// The value of a pixel that may lie outside (0 there). Coordinates are whole numbers, perhaps huge or NaN.
inline double pixel(const kernels::Conv2dShape& s, const Values& input, std::int64_t n, double y, double x,
                    std::int64_t channel) {
  const bool inside = y >= 0 && y < static_cast<double>(s.h) && x >= 0 && x < static_cast<double>(s.w);
  return inside ? input[pixel_index(s, n, static_cast<std::int64_t>(y), static_cast<std::int64_t>(x), channel)] : 0.0;
}

/// torchvision's bilinear_interpolate.
inline double sample(const kernels::DeformConv2dShape& s, const Values& input, const Term& t, double y, double x) {
  if (y <= -1 || y >= static_cast<double>(s.h) || x <= -1 || x >= static_cast<double>(s.w)) return 0;
  const double low_y = std::floor(y), low_x = std::floor(x), dy = y - low_y, dx = x - low_x;
  return (1 - dy) * (1 - dx) * pixel(s, input, t.n, low_y, low_x, t.channel) +
         (1 - dy) * dx * pixel(s, input, t.n, low_y, low_x + 1, t.channel) +
         dy * (1 - dx) * pixel(s, input, t.n, low_y + 1, low_x, t.channel) +
         dy * dx * pixel(s, input, t.n, low_y + 1, low_x + 1, t.channel);
}

/// torchvision's get_coordinate_weight: the derivative of a sample by its y or x. Unlike the sample it tests no range, so
/// that at −1 it is the derivative of the cell above the image.
inline double sample_derivative(const kernels::DeformConv2dShape& s, const Values& input, const Term& t, double y,
                                double x, bool by_y) {
  const double low_y = std::floor(y), low_x = std::floor(x);
  const double v00 = pixel(s, input, t.n, low_y, low_x, t.channel);
  const double v01 = pixel(s, input, t.n, low_y, low_x + 1, t.channel);
  const double v10 = pixel(s, input, t.n, low_y + 1, low_x, t.channel);
  const double v11 = pixel(s, input, t.n, low_y + 1, low_x + 1, t.channel);
  if (std::isinf(by_y ? x : y)) return 0;  // torchvision's own result is undefined here
  if (by_y) return (x - low_x) * (v11 - v01) + (1 - (x - low_x)) * (v10 - v00);
  return (y - low_y) * (v11 - v10) + (1 - (y - low_y)) * (v01 - v00);
}

/// `mask` and `bias` may be empty.
inline Values deform_conv2d(const kernels::DeformConv2dShape& s, const Values& input, const Values& offset,
                            const Values& mask, const Values& weight, const Values& bias) {
  Values output = biased_output(s, bias);
  for_terms(s, [&](const Term& t) {
    const Position p = position(s, t, offset);
    const double factor = mask.empty() ? 1.0 : mask[p.entry];
    output[output_index(s, t)] += factor * sample(s, input, t, p.y, p.x) * weight[weight_index(s, t)];
  });
  return output;
}

/// All gradients; that of the mask is empty where the mask is.
inline Gradients deform_conv2d_backward(const kernels::DeformConv2dShape& s, const Values& input, const Values& offset,
                                        const Values& mask, const Values& weight, const Values& grad_output) {
  Gradients g{Values(input.size()), Values(offset.size()), Values(mask.size()), Values(weight.size()),
              bias_gradient(s, grad_output)};
  for_terms(s, [&](const Term& t) {
    const Position p = position(s, t, offset);
    const double factor = mask.empty() ? 1.0 : mask[p.entry];
    const double gradient = grad_output[output_index(s, t)] * weight[weight_index(s, t)];
    const double value = sample(s, input, t, p.y, p.x);
    g.weight[weight_index(s, t)] += grad_output[output_index(s, t)] * factor * value;
    if (!mask.empty()) g.mask[p.entry] += gradient * value;
    g.offset[2 * p.entry] += gradient * factor * sample_derivative(s, input, t, p.y, p.x, true);
    g.offset[2 * p.entry + 1] += gradient * factor * sample_derivative(s, input, t, p.y, p.x, false);
    for (double y : {std::floor(p.y), std::floor(p.y) + 1}) {
      for (double x : {std::floor(p.x), std::floor(p.x) + 1}) {
        const bool inside = y >= 0 && y < static_cast<double>(s.h) && x >= 0 && x < static_cast<double>(s.w);
        if (!inside || std::abs(p.y - y) >= 1 || std::abs(p.x - x) >= 1) continue;
        g.input[pixel_index(s, t.n, static_cast<std::int64_t>(y), static_cast<std::int64_t>(x), t.channel)] +=
            gradient * factor * (1 - std::abs(p.y - y)) * (1 - std::abs(p.x - x));
      }
    }
  });
  return g;
}

}  // namespace deft::naive
