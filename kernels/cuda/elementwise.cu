#include "deft/kernels/cuda/map.h"
#include "deft/kernels/cuda/math.h"
#include "deft/kernels/detail/functions.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/elementwise.h"

namespace deft::kernels {

using namespace DEFT_PLACE;

namespace {

/// The space of an operation's gradient, whose first operand is the dense gradient of the result.
Strided<3> with_gradient(const Strided<2>& space) {
  Strided<3> result;
  std::int64_t step = space.numel();
  for (int axis = 0; axis < space.rank; ++axis) {
    step = space.size[axis] > 0 ? step / space.size[axis] : 0;
    result.add_axis(space.size[axis], {step, space.stride[0][axis], space.stride[1][axis]});
  }
  return result;
}

}  // namespace

template <class T>
void unary_forward(Cuda device, const Unary& unary, std::int64_t n, const T* input, T* output) {
  visit<T>(unary, [&](auto function) { map(device, n, Forward{function}, output, input); });
}

template <class T>
void unary_backward(Cuda device, const Unary& unary, std::int64_t n, const T* grad_output, const T* saved,
                    T* grad_input) {
  if (unary.op == UnaryOp::neg) return map(device, n, Forward{Neg()}, grad_input, grad_output);
  visit<T>(unary, [&](auto function) { map(device, n, Backward{function}, grad_input, grad_output, saved); });
}

template <class T>
void binary_forward(Cuda device, BinaryOp op, const Strided<2>& space, const T* a, const T* b, T* output) {
  visit<T>(op, [&](auto function) { map_broadcast(device, space, Forward{function}, output, a, b); });
}

template <class T>
void binary_backward_a(Cuda device, BinaryOp op, const Strided<2>& space, const T* grad_output, const T* a, const T* b,
                       T* grad_a) {
  visit_with_gradients<T>(op, [&](auto function) {
    map_broadcast(device, with_gradient(space), BackwardA{function}, grad_a, grad_output, a, b);
  });
}

template <class T>
void binary_backward_b(Cuda device, BinaryOp op, const Strided<2>& space, const T* grad_output, const T* a, const T* b,
                       T* grad_b) {
  visit_with_gradients<T>(op, [&](auto function) {
    map_broadcast(device, with_gradient(space), BackwardB{function}, grad_b, grad_output, a, b);
  });
}

template <class T>
void compare(Cuda device, CompareOp op, const Strided<2>& space, const T* a, const T* b, std::uint8_t* output) {
  visit(op, [&](auto function) { map_broadcast(device, space, function, output, a, b); });
}

template <class T>
void where(Cuda device, const Strided<3>& space, const std::uint8_t* condition, const T* a, const T* b, T* output) {
  map_broadcast(device, space, Where(), output, condition, a, b);
}

template <class From, class To>
void cast(Cuda device, std::int64_t n, const From* input, To* output) {
  map(device, n, Cast<To>(), output, input);
}

template <class T>
void fill(Cuda device, std::int64_t n, T value, T* output) {
  map(device, n, Constant<T>{value}, output);
}

template <class T>
void add_scaled(Cuda device, std::int64_t n, T factor, const T* input, T* output) {
  map(device, n, AddScaled<T>{factor}, output, input, output);
}

#define DEFT_FLOATING(T)                                                                                   \
  template void unary_backward<T>(Cuda, const Unary&, std::int64_t, const T*, const T*, T*);               \
  template void binary_backward_a<T>(Cuda, BinaryOp, const Strided<2>&, const T*, const T*, const T*, T*); \
  template void binary_backward_b<T>(Cuda, BinaryOp, const Strided<2>&, const T*, const T*, const T*, T*); \
  template void add_scaled<T>(Cuda, std::int64_t, T, const T*, T*);
#define DEFT_SIGNED(T)                                                            \
  template void unary_forward<T>(Cuda, const Unary&, std::int64_t, const T*, T*); \
  template void binary_forward<T>(Cuda, BinaryOp, const Strided<2>&, const T*, const T*, T*);
#define DEFT_ALL(T)                                                                                \
  template void compare<T>(Cuda, CompareOp, const Strided<2>&, const T*, const T*, std::uint8_t*); \
  template void where<T>(Cuda, const Strided<3>&, const std::uint8_t*, const T*, const T*, T*);    \
  template void cast<T, float>(Cuda, std::int64_t, const T*, float*);                              \
  template void cast<T, double>(Cuda, std::int64_t, const T*, double*);                            \
  template void cast<T, std::int64_t>(Cuda, std::int64_t, const T*, std::int64_t*);                \
  template void cast<T, std::uint8_t>(Cuda, std::int64_t, const T*, std::uint8_t*);                \
  template void fill<T>(Cuda, std::int64_t, T, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)
DEFT_INSTANTIATE_SIGNED(DEFT_SIGNED)
DEFT_INSTANTIATE_ALL(DEFT_ALL)

}  // namespace deft::kernels
