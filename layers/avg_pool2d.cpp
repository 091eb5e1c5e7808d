#include "deft/layers/avg_pool2d.h"

#include "deft/core/dispatch.h"
#include "deft/layers/detail/pool_shape.h"

namespace deft {

Tensor avg_pool2d(const Tensor& input, const AvgPool2dOptions& options) {
  const kernels::Pool2dShape shape = detail::pool2d_shape("avg_pool2d", input, options.kernel_size, options.stride,
                                                          options.padding, options.ceil_mode);
  const bool count_include_pad = options.count_include_pad;
  Tensor output = detail::empty_output(input, shape.h_out(), shape.w_out());
  dispatch_floating(input, "avg_pool2d", [&]<class T>(auto place) {
    kernels::avg_pool2d_forward<T>(place, shape, count_include_pad, input.data<T>(), output.mutable_data<T>());
  });
  const auto backward = [shape, count_include_pad](const BackwardContext& context) -> std::vector<Tensor> {
    const Tensor& grad_output = context.grad();
    Tensor grad_input = empty({shape.n, shape.h, shape.w, shape.c}, {grad_output.dtype(), grad_output.device()});
    dispatch_floating(grad_output, "avg_pool2d", [&]<class T>(auto place) {
      kernels::avg_pool2d_backward<T>(place, shape, count_include_pad, grad_output.data<T>(),
                                      grad_input.mutable_data<T>());
    });
    return {grad_input};
  };
  Attributes attributes = detail::pool2d_attributes(shape);
  attributes.push_back({"count_include_pad", count_include_pad});
  record("avg_pool2d", {input}, std::move(attributes), {output}, {.apply = backward}, detail::pool2d_info(shape));
  return output;
}

}  // namespace deft
