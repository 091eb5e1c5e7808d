// Contract of the pooling kernels, with the semantics of PyTorch's max_pool2d, avg_pool2d and adaptive_avg_pool2d.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/contract.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels {

/// Sizes and options of a pooling with a fixed window over channels-last images.
///
/// input  [n, h, w, c]
/// output [n, h_out(), w_out(), c]
///
/// n and c may be zero. h, w, kernel sizes and strides are at least 1, output sizes at least 1; paddings are smaller
/// than the kernel's size on their axis, so that every window holds a pixel.
struct Pool2dShape {
  std::int64_t n = 0, h = 0, w = 0, c = 0;
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  bool ceil_mode = false;  ///< also windows that hang over the bottom and right padding, if they start before it

  DEFT_ALWAYS_INLINE std::int64_t h_out() const { return windows(h, pad_top, pad_bottom, kernel_h, stride_h); }
  DEFT_ALWAYS_INLINE std::int64_t w_out() const { return windows(w, pad_left, pad_right, kernel_w, stride_w); }
  DEFT_ALWAYS_INLINE std::int64_t taps() const { return kernel_h * kernel_w; }

 private:
  DEFT_ALWAYS_INLINE std::int64_t windows(std::int64_t size, std::int64_t before, std::int64_t after,
                                          std::int64_t kernel, std::int64_t stride) const {
    const std::int64_t room = size + before + after - kernel + (ceil_mode ? stride - 1 : 0);
    if (room < 0) return 0;
    const std::int64_t count = room / stride + 1;
    return ceil_mode && (count - 1) * stride >= size + before ? count - 1 : count;
  }
};

/// The largest pixel of each window; the padding never wins. Of equal pixels the first wins (row by row); NaN wins over
/// everything. Overwrites `output` and `taps` [n, h_out(), w_out(), c], the winner's place in its window
/// (row · kernel_w + column), for the backward kernel. Tap is uint8_t where shape.taps() is at most 256, else int64_t.
DEFT_CONTRACT((class T, class Tap), void, max_pool2d_forward, const Pool2dShape& shape, const T* input, T* output,
              Tap* taps);

/// Gradient with respect to the input from grad_output [n, h_out(), w_out(), c]. Overwrites `grad_input`.
DEFT_CONTRACT((class T, class Tap), void, max_pool2d_backward, const Pool2dShape& shape, const T* grad_output,
              const Tap* taps, T* grad_input);

/// The mean of each window. With `count_include_pad` the padding counts as zeros (what a window of ceil_mode has beyond
/// the padding does not count), without it only pixels of the image count. Overwrites `output`.
DEFT_CONTRACT((class T), void, avg_pool2d_forward, const Pool2dShape& shape, bool count_include_pad, const T* input,
              T* output);

/// Gradient with respect to the input from grad_output [n, h_out(), w_out(), c]. Overwrites `grad_input`.
DEFT_CONTRACT((class T), void, avg_pool2d_backward, const Pool2dShape& shape, bool count_include_pad,
              const T* grad_output, T* grad_input);

/// Sizes of an adaptive average pooling: input [n, h, w, c], output [n, h_out, w_out, c]. Output row i is the mean of
/// the rows floor(i · h / h_out) to ceil((i + 1) · h / h_out) − 1, columns likewise. n and c may be zero.
struct AdaptivePool2dShape {
  std::int64_t n = 0, h = 0, w = 0, c = 0;
  std::int64_t h_out = 1, w_out = 1;
};

/// Overwrites `output`.
DEFT_CONTRACT((class T), void, adaptive_avg_pool2d_forward, const AdaptivePool2dShape& shape, const T* input,
              T* output);

/// Gradient with respect to the input from grad_output [n, h_out, w_out, c]. Overwrites `grad_input`.
DEFT_CONTRACT((class T), void, adaptive_avg_pool2d_backward, const AdaptivePool2dShape& shape, const T* grad_output,
              T* grad_input);

}  // namespace deft::kernels
