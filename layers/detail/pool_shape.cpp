#include "deft/layers/detail/pool_shape.h"

#include <fmt/format.h>

#include "deft/core/checks.h"
#include "deft/kernels/runtime/error.h"

namespace deft::detail {

void require_images(const char* op, const Tensor& input) {
  require_dim(op, {"input", input}, 4, "[N, H, W, C]");
  if (input.size(1) < 1 || input.size(2) < 1) {
    throw Error(fmt::format("{}: input is {}, expected at least one pixel", op, to_string(input.shape())));
  }
}

kernels::Pool2dShape pool2d_shape(const char* op, const Tensor& input, Size2 kernel_size, Size2 stride,
                                  const Padding2& padding, bool ceil_mode) {
  require_images(op, input);
  if (stride == Size2()) stride = kernel_size;
  require_range(op, "kernel_size", kernel_size);
  require_range(op, "stride", stride);
  const auto fits = [](std::int64_t pad, std::int64_t kernel) { return pad >= 0 && pad <= kernel / 2; };
  if (!fits(padding.top, kernel_size.h) || !fits(padding.bottom, kernel_size.h) || !fits(padding.left, kernel_size.w) ||
      !fits(padding.right, kernel_size.w)) {
    throw Error(fmt::format("{}: padding is {}, expected from 0 to half of kernel_size {}", op, to_string(padding),
                            to_string(kernel_size)));
  }
  const kernels::Pool2dShape shape{input.size(0), input.size(1), input.size(2), input.size(3), kernel_size.h,
                                   kernel_size.w, stride.h,      stride.w,      padding.top,   padding.bottom,
                                   padding.left,  padding.right, ceil_mode};
  if (shape.h_out() < 1 || shape.w_out() < 1) {
    throw Error(
        fmt::format("{}: kernel_size is {}, larger than the padded input {}", op, to_string(kernel_size),
                    to_string(Size2(shape.h + padding.top + padding.bottom, shape.w + padding.left + padding.right))));
  }
  return shape;
}

Attributes pool2d_attributes(const kernels::Pool2dShape& shape) {
  using Sizes = std::vector<std::int64_t>;
  return {{"kernel_size", Sizes{shape.kernel_h, shape.kernel_w}},
          {"stride", Sizes{shape.stride_h, shape.stride_w}},
          {"padding", Sizes{shape.pad_top, shape.pad_bottom, shape.pad_left, shape.pad_right}},
          {"ceil_mode", shape.ceil_mode}};
}

TraceInfo pool2d_info(const kernels::Pool2dShape& shape) {
  return {.sampling = SamplingGeometry{.kernel_h = shape.kernel_h,
                                       .kernel_w = shape.kernel_w,
                                       .stride_h = shape.stride_h,
                                       .stride_w = shape.stride_w,
                                       .pad_top = shape.pad_top,
                                       .pad_left = shape.pad_left}};
}

Tensor empty_output(const Tensor& input, std::int64_t h_out, std::int64_t w_out) {
  return empty({input.size(0), h_out, w_out, input.size(3)}, {input.dtype(), input.device()});
}

}  // namespace deft::detail
