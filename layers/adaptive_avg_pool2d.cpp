#include "deft/layers/adaptive_avg_pool2d.h"

#include "deft/core/dispatch.h"
#include "deft/layers/detail/pool_shape.h"

namespace deft {
namespace {

kernels::AdaptivePool2dShape pool_shape(const Tensor& input, Size2 output_size) {
  return {input.size(0), input.size(1), input.size(2), input.size(3), output_size.h, output_size.w};
}

// Writes the means into `output`, of as many elements as [n, h_out, w_out, c] but maybe another shape.
void pool(const char* op, const kernels::AdaptivePool2dShape& shape, const Tensor& input, Tensor& output,
          Attributes attributes) {
  dispatch_floating(input, op, [&]<class T>(auto place) {
    kernels::adaptive_avg_pool2d_forward<T>(place, shape, input.data<T>(), output.mutable_data<T>());
  });
  const auto backward = [shape, op](const BackwardContext& context) -> std::vector<Tensor> {
    const Tensor& grad_output = context.grad();
    Tensor grad_input = empty({shape.n, shape.h, shape.w, shape.c}, {grad_output.dtype(), grad_output.device()});
    dispatch_floating(grad_output, op, [&]<class T>(auto place) {
      kernels::adaptive_avg_pool2d_backward<T>(place, shape, grad_output.data<T>(), grad_input.mutable_data<T>());
    });
    return {grad_input};
  };
  record(op, {input}, std::move(attributes), {output}, {.apply = backward});
}

}  // namespace

Tensor adaptive_avg_pool2d(const Tensor& input, Size2 output_size) {
  constexpr const char* op = "adaptive_avg_pool2d";
  detail::require_images(op, input);
  detail::require_range(op, "output_size", output_size);
  Tensor output = detail::empty_output(input, output_size.h, output_size.w);
  pool(op, pool_shape(input, output_size), input, output,
       {{"output_size", std::vector<std::int64_t>{output_size.h, output_size.w}}});
  return output;
}

Tensor global_avg_pool2d(const Tensor& input) {
  constexpr const char* op = "global_avg_pool2d";
  detail::require_images(op, input);
  Tensor output = empty({input.size(0), input.size(3)}, {input.dtype(), input.device()});
  pool(op, pool_shape(input, 1), input, output, {});
  return output;
}

}  // namespace deft
