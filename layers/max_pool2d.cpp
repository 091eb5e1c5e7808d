#include "deft/layers/max_pool2d.h"

#include "deft/core/dispatch.h"
#include "deft/layers/detail/pool_shape.h"

namespace deft {
namespace {

// Calls run.operator()<T, Tap>(device) with the types of `values` and `taps`.
template <class Run>
void dispatch_pooling(const Tensor& values, const Tensor& taps, const Run& run) {
  dispatch_floating(values, "max_pool2d", [&]<class T>(auto place) {
    if (taps.dtype() == DType::uint8) {
      run.template operator()<T, std::uint8_t>(place);
    } else {
      run.template operator()<T, std::int64_t>(place);
    }
  });
}

Tensor input_gradient(const kernels::Pool2dShape& shape, const Tensor& grad_output, const Tensor& taps) {
  Tensor grad_input = empty({shape.n, shape.h, shape.w, shape.c}, {grad_output.dtype(), grad_output.device()});
  dispatch_pooling(grad_output, taps, [&]<class T, class Tap>(auto place) {
    kernels::max_pool2d_backward<T, Tap>(place, shape, grad_output.data<T>(), taps.data<Tap>(),
                                         grad_input.mutable_data<T>());
  });
  return grad_input;
}

}  // namespace

Tensor max_pool2d(const Tensor& input, const MaxPool2dOptions& options) {
  const kernels::Pool2dShape shape = detail::pool2d_shape("max_pool2d", input, options.kernel_size, options.stride,
                                                          options.padding, options.ceil_mode);
  Tensor output = detail::empty_output(input, shape.h_out(), shape.w_out());
  Tensor taps = empty(output.shape(), {shape.taps() <= 256 ? DType::uint8 : DType::int64, input.device()});
  dispatch_pooling(input, taps, [&]<class T, class Tap>(auto place) {
    kernels::max_pool2d_forward<T, Tap>(place, shape, input.data<T>(), output.mutable_data<T>(),
                                        taps.mutable_data<Tap>());
  });
  record("max_pool2d", {input}, detail::pool2d_attributes(shape), {output},
         {.saved = {taps},
          .apply = [shape](const BackwardContext& context) -> std::vector<Tensor> {
            return {input_gradient(shape, context.grad(), context.saved())};
          }},
         detail::pool2d_info(shape));
  return output;
}

}  // namespace deft
