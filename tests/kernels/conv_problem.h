// Inputs for the convolution kernels, and what the kernels make of them on a device.
#pragma once

#include <cmath>
#include <vector>

#include "deft/kernels/deform_conv2d.h"

#include "kernels/conv_cases.h"
#include "test_device.h"

namespace deft {

/// Values to preset outputs to, since the kernels overwrite.
template <class T>
std::vector<T> garbage_like(const std::vector<double>& values) {
  return std::vector<T>(values.size(), T(7));
}

struct Conv2dProblem {
  explicit Conv2dProblem(const kernels::Conv2dShape& s)
      : shape(s),
        input(random_values(s.n * s.h * s.w * s.c, 1)),
        weight(random_values(s.o * s.taps() * (s.c / s.groups), 2)),
        bias(random_values(s.o, 3)),
        grad_output(random_values(s.n * s.h_out() * s.w_out() * s.o, 4)) {}

  kernels::Conv2dShape shape;
  std::vector<double> input, weight, bias, grad_output;
};

template <class T>
struct Conv2dResults {
  std::vector<T> output, grad_input, grad_weight, grad_bias;
};

/// Runs all kernels.
template <class T>
Conv2dResults<T> run(const Conv2dProblem& p, bool with_bias = true, Device on = testing::test_device()) {
  using testing::Buffer;
  const Buffer<T> input(cast<T>(p.input), on), weight(cast<T>(p.weight), on), bias(cast<T>(p.bias), on),
      grad_output(cast<T>(p.grad_output), on);
  Buffer<T> output(garbage_like<T>(p.grad_output), on), grad_input(garbage_like<T>(p.input), on),
      grad_weight(garbage_like<T>(p.weight), on), grad_bias(garbage_like<T>(p.bias), on);
  on_place(on, [&](auto place) {
    kernels::conv2d_forward<T>(place, p.shape, input.data(), weight.data(), with_bias ? bias.data() : nullptr,
                               output.data());
    kernels::conv2d_backward_input<T>(place, p.shape, grad_output.data(), weight.data(), grad_input.data());
    kernels::conv2d_backward_weight<T>(place, p.shape, input.data(), grad_output.data(), grad_weight.data(),
                                       with_bias ? grad_bias.data() : nullptr);
  });
  return {output.values(), grad_input.values(), grad_weight.values(), grad_bias.values()};
}

struct DeformProblem {
  DeformProblem(const kernels::DeformConv2dShape& s, bool modulated)
      : shape(s),
        input(random_values(s.n * s.h * s.w * s.c, 1)),
        offset(random_values(s.n * s.h_out() * s.w_out() * s.offset_groups * s.taps() * 2, 2)),
        mask(random_values(modulated ? s.n * s.h_out() * s.w_out() * s.offset_groups * s.taps() : 0, 3)),
        weight(random_values(s.o * s.taps() * (s.c / s.groups), 4)),
        bias(random_values(s.o, 5)),
        grad_output(random_values(s.n * s.h_out() * s.w_out() * s.o, 6)) {
    // Steps of 1/256 pixel, up to some pixels: float holds the positions exactly, and some are whole numbers.
    for (double& value : offset) value = std::round(value * 2 * 256) / 256;
    for (std::size_t i = 0; i < offset.size(); i += 7) offset[i] = std::round(offset[i]);
  }

  kernels::DeformConv2dShape shape;
  std::vector<double> input, offset, mask, weight, bias, grad_output;  ///< mask: empty where there is none
};

template <class T>
struct DeformResults {
  std::vector<T> output, grad_input, grad_offset, grad_mask, grad_weight, grad_bias;
};

/// Runs both kernels. `wanted` are bits of the gradients, in the order of DeformConv2dGradients.
template <class T>
DeformResults<T> run(const DeformProblem& p, int wanted = 31, Device on = testing::test_device()) {
  using testing::Buffer;
  const Buffer<T> input(cast<T>(p.input), on), offset(cast<T>(p.offset), on), mask(cast<T>(p.mask), on),
      weight(cast<T>(p.weight), on), bias(cast<T>(p.bias), on), grad_output(cast<T>(p.grad_output), on);
  Buffer<T> output(garbage_like<T>(p.grad_output), on), grad_input(garbage_like<T>(p.input), on),
      grad_offset(garbage_like<T>(p.offset), on), grad_mask(garbage_like<T>(p.mask), on),
      grad_weight(garbage_like<T>(p.weight), on), grad_bias(garbage_like<T>(p.bias), on);
  const bool modulated = !p.mask.empty();
  const auto pick = [&](int bit, Buffer<T>& gradient) { return (wanted >> bit & 1) != 0 ? gradient.data() : nullptr; };
  on_place(on, [&](auto place) {
    const T* const mask_data = modulated ? mask.data() : nullptr;
    kernels::deform_conv2d_forward<T>(place, p.shape, input.data(), offset.data(), mask_data, weight.data(),
                                      bias.data(), output.data());
    kernels::deform_conv2d_backward<T>(place, p.shape, input.data(), offset.data(), mask_data, weight.data(),
                                       grad_output.data(),
                                       {.input = pick(0, grad_input),
                                        .offset = pick(1, grad_offset),
                                        .mask = modulated ? pick(2, grad_mask) : nullptr,
                                        .weight = pick(3, grad_weight),
                                        .bias = pick(4, grad_bias)});
  });
  return {output.values(),    grad_input.values(),  grad_offset.values(),
          grad_mask.values(), grad_weight.values(), grad_bias.values()};
}

}  // namespace deft
