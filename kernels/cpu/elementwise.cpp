#include "deft/kernels/elementwise.h"

#include "deft/kernels/cpu/math.h"
#include "deft/kernels/cpu/strided_loop.h"
#include "deft/kernels/detail/functions.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cpu/kernel.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

template <class T>
Operand<T> dense(const T* data, std::int64_t n) {
  return {data, dense_layout(n)};
}

template <int operands, class T>
Operand<T> operand(const Strided<operands>& space, int number, const T* data) {
  return {data, operand_layout(space, number)};
}

}  // namespace
}  // namespace DEFT_SIMD

using namespace DEFT_SIMD;

template <class T>
void unary_forward(Set, const Unary& unary, std::int64_t n, const T* input, T* output) {
  visit<T>(unary, [&](auto function) { map(n, Forward{function}, output, input); });
}

template <class T>
void unary_backward(Set, const Unary& unary, std::int64_t n, const T* grad_output, const T* saved, T* grad_input) {
  if (unary.op == UnaryOp::neg) return map(n, Forward{Neg()}, grad_input, grad_output);
  visit<T>(unary, [&](auto function) { map(n, Backward{function}, grad_input, grad_output, saved); });
}

template <class T>
void binary_forward(Set, BinaryOp op, const Strided<2>& space, const T* a, const T* b, T* output) {
  visit<T>(op, [&](auto function) {
    map_broadcast(space.numel(), Forward{function}, output, operand(space, 0, a), operand(space, 1, b));
  });
}

template <class T>
void binary_backward_a(Set, BinaryOp op, const Strided<2>& space, const T* grad_output, const T* a, const T* b,
                       T* grad_a) {
  const std::int64_t n = space.numel();
  visit_with_gradients<T>(op, [&](auto function) {
    map_broadcast(n, BackwardA{function}, grad_a, dense(grad_output, n), operand(space, 0, a), operand(space, 1, b));
  });
}

template <class T>
void binary_backward_b(Set, BinaryOp op, const Strided<2>& space, const T* grad_output, const T* a, const T* b,
                       T* grad_b) {
  const std::int64_t n = space.numel();
  visit_with_gradients<T>(op, [&](auto function) {
    map_broadcast(n, BackwardB{function}, grad_b, dense(grad_output, n), operand(space, 0, a), operand(space, 1, b));
  });
}

template <class T>
void compare(Set, CompareOp op, const Strided<2>& space, const T* a, const T* b, std::uint8_t* output) {
  visit(op, [&](auto function) {
    map_broadcast(space.numel(), function, output, operand(space, 0, a), operand(space, 1, b));
  });
}

template <class T>
void where(Set, const Strided<3>& space, const std::uint8_t* condition, const T* a, const T* b, T* output) {
  map_broadcast(space.numel(), Where(), output, operand(space, 0, condition), operand(space, 1, a),
                operand(space, 2, b));
}

template <class From, class To>
void cast(Set, std::int64_t n, const From* input, To* output) {
  map(n, Cast<To>(), output, input);
}

template <class T>
void fill(Set, std::int64_t n, T value, T* output) {
  map(n, Constant<T>{value}, output);
}

template <class T>
void add_scaled(Set, std::int64_t n, T factor, const T* input, T* output) {
  map(n, AddScaled<T>{factor}, output, input, output);
}

#define DEFT_FLOATING(T)                                                                               \
  template void unary_backward(Set, const Unary&, std::int64_t, const T*, const T*, T*);               \
  template void binary_backward_a(Set, BinaryOp, const Strided<2>&, const T*, const T*, const T*, T*); \
  template void binary_backward_b(Set, BinaryOp, const Strided<2>&, const T*, const T*, const T*, T*); \
  template void add_scaled(Set, std::int64_t, T, const T*, T*);
#define DEFT_SIGNED(T)                                                        \
  template void unary_forward(Set, const Unary&, std::int64_t, const T*, T*); \
  template void binary_forward(Set, BinaryOp, const Strided<2>&, const T*, const T*, T*);
#define DEFT_ALL(T)                                                                            \
  template void compare(Set, CompareOp, const Strided<2>&, const T*, const T*, std::uint8_t*); \
  template void where(Set, const Strided<3>&, const std::uint8_t*, const T*, const T*, T*);    \
  template void cast(Set, std::int64_t, const T*, float*);                                     \
  template void cast(Set, std::int64_t, const T*, double*);                                    \
  template void cast(Set, std::int64_t, const T*, std::int64_t*);                              \
  template void cast(Set, std::int64_t, const T*, std::uint8_t*);                              \
  template void fill(Set, std::int64_t, T, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)
DEFT_INSTANTIATE_SIGNED(DEFT_SIGNED)
DEFT_INSTANTIATE_ALL(DEFT_ALL)

}  // namespace deft::kernels
