#include "deft/layers/max_pool2d.h"

#include "deft/kernels/runtime/dispatch.h"
#include "deft/layers/detail/pool_shape.h"

namespace deft {
namespace {

// Calls run(device, TypeTag<T>, TypeTag<Tap>) with the types of `values` and `taps`.
template <class Run>
void dispatch(const Tensor& values, const Tensor& taps, const Run& run) {
  on_device(values.device(), [&](auto device) {
    visit_floating(values.dtype(), "max_pool2d", [&](auto type) {
      if (taps.dtype() == DType::uint8) {
        run(device, type, TypeTag<std::uint8_t>());
      } else {
        run(device, type, TypeTag<std::int64_t>());
      }
    });
  });
}

Tensor input_gradient(const kernels::Pool2dShape& shape, const Tensor& grad_output, const Tensor& taps) {
  Tensor grad_input = empty({shape.n, shape.h, shape.w, shape.c}, {grad_output.dtype(), grad_output.device()});
  dispatch(grad_output, taps, [&](auto device, auto type, auto tap) {
    using T = typename decltype(type)::type;
    using Tap = typename decltype(tap)::type;
    kernels::max_pool2d_backward<T, Tap>(device, shape, grad_output.data<T>(), taps.data<Tap>(),
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
  dispatch(input, taps, [&](auto device, auto type, auto tap) {
    using T = typename decltype(type)::type;
    using Tap = typename decltype(tap)::type;
    kernels::max_pool2d_forward<T, Tap>(device, shape, input.data<T>(), output.mutable_data<T>(),
                                        taps.mutable_data<Tap>());
  });
  record("max_pool2d", {input}, detail::pool2d_attributes(shape), {output},
         {.saved = {taps}, .apply = [shape](const BackwardContext& context) -> std::vector<Tensor> {
            return {input_gradient(shape, context.grad(), context.saved())};
          }});
  return output;
}

}  // namespace deft
