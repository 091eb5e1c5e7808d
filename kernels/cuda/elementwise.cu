#include <type_traits>

#include "deft/kernels/cuda/elementwise_functions.h"
#include "deft/kernels/cuda/map.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/elementwise.h"

namespace deft::kernels {
namespace cuda_elementwise {
namespace {

/// Calls `visitor` with the function of a binary operation.
template <class T, class Visitor>
void visit(BinaryOp op, Visitor&& visitor) {
  switch (op) {
    case BinaryOp::add:
      return visitor(Add());
    case BinaryOp::sub:
      return visitor(Subtract());
    case BinaryOp::mul:
      return visitor(Multiply());
    case BinaryOp::minimum:
      return visitor(Minimum());
    case BinaryOp::maximum:
      return visitor(Maximum());
    case BinaryOp::div:
      if constexpr (std::is_floating_point_v<T>) return visitor(Divide());
      break;
    case BinaryOp::pow:
      if constexpr (std::is_floating_point_v<T>) return visitor(Power());
      break;
  }
  throw Error("div and pow are for floating types");
}

template <class Visitor>
void visit_gradient_a(BinaryOp op, Visitor&& visitor) {
  switch (op) {
    case BinaryOp::mul:
      return visitor(MultiplyGradientA());
    case BinaryOp::div:
      return visitor(DivideGradientA());
    case BinaryOp::pow:
      return visitor(PowerGradientA());
    case BinaryOp::minimum:
      return visitor(ExtremumGradientA<true>());
    case BinaryOp::maximum:
      return visitor(ExtremumGradientA<false>());
    case BinaryOp::add:
    case BinaryOp::sub:
      break;
  }
  throw Error("add and sub have no gradient kernels");
}

template <class Visitor>
void visit_gradient_b(BinaryOp op, Visitor&& visitor) {
  switch (op) {
    case BinaryOp::mul:
      return visitor(MultiplyGradientB());
    case BinaryOp::div:
      return visitor(DivideGradientB());
    case BinaryOp::pow:
      return visitor(PowerGradientB());
    case BinaryOp::minimum:
      return visitor(ExtremumGradientB<true>());
    case BinaryOp::maximum:
      return visitor(ExtremumGradientB<false>());
    case BinaryOp::add:
    case BinaryOp::sub:
      break;
  }
  throw Error("add and sub have no gradient kernels");
}

template <class Visitor>
void visit(CompareOp op, Visitor&& visitor) {
  switch (op) {
    case CompareOp::eq:
      return visitor(Equal());
    case CompareOp::ne:
      return visitor(NotEqual());
    case CompareOp::lt:
      return visitor(Less());
    case CompareOp::le:
      return visitor(LessEqual());
    case CompareOp::gt:
      return visitor(Greater());
    case CompareOp::ge:
      return visitor(GreaterEqual());
  }
}

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
}  // namespace cuda_elementwise

template <class T>
void unary_forward(Cuda device, UnaryOp op, std::int64_t n, const T* input, T* output) {
  using namespace cuda_elementwise;
  if (op == UnaryOp::neg) return map(device, n, Negate(), output, input);
  if (op == UnaryOp::abs) return map(device, n, Abs(), output, input);
  if constexpr (std::is_floating_point_v<T>) {
    if (op == UnaryOp::exp) return map(device, n, Exp(), output, input);
    if (op == UnaryOp::log) return map(device, n, Log(), output, input);
    if (op == UnaryOp::sqrt) return map(device, n, Sqrt(), output, input);
  }
  throw Error("exp, log and sqrt are for floating types");
}

template <class T>
void unary_backward(Cuda device, UnaryOp op, std::int64_t n, const T* grad_output, const T* saved, T* grad_input) {
  using namespace cuda_elementwise;
  switch (op) {
    case UnaryOp::neg:
      return map(device, n, Negate(), grad_input, grad_output);
    case UnaryOp::abs:
      return map(device, n, AbsGradient(), grad_input, grad_output, saved);
    case UnaryOp::exp:
      return map(device, n, Multiply(), grad_input, grad_output, saved);
    case UnaryOp::log:
      return map(device, n, Divide(), grad_input, grad_output, saved);
    case UnaryOp::sqrt:
      return map(device, n, SqrtGradient(), grad_input, grad_output, saved);
  }
}

template <class T>
void clamp_forward(Cuda device, std::int64_t n, T low, T high, const T* input, T* output) {
  map(device, n, cuda_elementwise::Clamp<T>{low, high}, output, input);
}

template <class T>
void clamp_backward(Cuda device, std::int64_t n, T low, T high, const T* grad_output, const T* input, T* grad_input) {
  map(device, n, cuda_elementwise::ClampGradient<T>{low, high}, grad_input, grad_output, input);
}

template <class T>
void binary_forward(Cuda device, BinaryOp op, const Strided<2>& space, const T* a, const T* b, T* output) {
  cuda_elementwise::visit<T>(op, [&](auto function) { map_broadcast(device, space, function, output, a, b); });
}

template <class T>
void binary_backward_a(Cuda device, BinaryOp op, const Strided<2>& space, const T* grad_output, const T* a, const T* b,
                       T* grad_a) {
  cuda_elementwise::visit_gradient_a(op, [&](auto function) {
    map_broadcast(device, cuda_elementwise::with_gradient(space), function, grad_a, grad_output, a, b);
  });
}

template <class T>
void binary_backward_b(Cuda device, BinaryOp op, const Strided<2>& space, const T* grad_output, const T* a, const T* b,
                       T* grad_b) {
  cuda_elementwise::visit_gradient_b(op, [&](auto function) {
    map_broadcast(device, cuda_elementwise::with_gradient(space), function, grad_b, grad_output, a, b);
  });
}

template <class T>
void compare(Cuda device, CompareOp op, const Strided<2>& space, const T* a, const T* b, std::uint8_t* output) {
  cuda_elementwise::visit(op, [&](auto function) { map_broadcast(device, space, function, output, a, b); });
}

template <class T>
void where(Cuda device, const Strided<3>& space, const std::uint8_t* condition, const T* a, const T* b, T* output) {
  map_broadcast(device, space, cuda_elementwise::Where(), output, condition, a, b);
}

template <class From, class To>
void cast(Cuda device, std::int64_t n, const From* input, To* output) {
  map(device, n, cuda_elementwise::Cast<To>(), output, input);
}

template <class T>
void fill(Cuda device, std::int64_t n, T value, T* output) {
  map(device, n, cuda_elementwise::Constant<T>{value}, output);
}

template <class T>
void add_scaled(Cuda device, std::int64_t n, T factor, const T* input, T* output) {
  map(device, n, cuda_elementwise::AddScaled<T>{factor}, output, input, output);
}

#define DEFT_FLOATING(T)                                                                                   \
  template void unary_backward<T>(Cuda, UnaryOp, std::int64_t, const T*, const T*, T*);                    \
  template void clamp_forward<T>(Cuda, std::int64_t, T, T, const T*, T*);                                  \
  template void clamp_backward<T>(Cuda, std::int64_t, T, T, const T*, const T*, T*);                       \
  template void binary_backward_a<T>(Cuda, BinaryOp, const Strided<2>&, const T*, const T*, const T*, T*); \
  template void binary_backward_b<T>(Cuda, BinaryOp, const Strided<2>&, const T*, const T*, const T*, T*); \
  template void add_scaled<T>(Cuda, std::int64_t, T, const T*, T*);
#define DEFT_SIGNED(T)                                                       \
  template void unary_forward<T>(Cuda, UnaryOp, std::int64_t, const T*, T*); \
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
