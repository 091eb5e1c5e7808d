#include "deft/kernels/elementwise.h"

#include <cmath>
#include <type_traits>

#include "deft/kernels/cpu/strided_loop.h"
#include "deft/kernels/cpu/vector_math.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cpu/kernel.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

using vector_math::is_nan;

// Two selections each, since GCC makes no vector code of one with two conditions.
template <class T>
T minimum(T a, T b) {
  const T smaller = a < b ? a : b;
  return is_nan(a) ? a : smaller;
}

template <class T>
T maximum(T a, T b) {
  const T larger = a > b ? a : b;
  return is_nan(a) ? a : larger;
}

template <class T>
Operand<T> dense(const T* data, std::int64_t n) {
  return {data, dense_layout(n)};
}

/// What the two gradients of minimum and maximum give to the operand that `wins`.
template <class T>
T share(T g, bool wins, bool ties) {
  return wins ? g : ties ? g / 2 : T(0);
}

/// Calls `visitor` with the function of a binary operation.
template <class T, class Visitor>
void visit(BinaryOp op, Visitor&& visitor) {
  switch (op) {
    case BinaryOp::add:
      return visitor([](T a, T b) { return a + b; });
    case BinaryOp::sub:
      return visitor([](T a, T b) { return a - b; });
    case BinaryOp::mul:
      return visitor([](T a, T b) { return a * b; });
    case BinaryOp::minimum:
      return visitor([](T a, T b) { return minimum(a, b); });
    case BinaryOp::maximum:
      return visitor([](T a, T b) { return maximum(a, b); });
    case BinaryOp::div:
      if constexpr (std::is_floating_point_v<T>) return visitor([](T a, T b) { return a / b; });
      break;
    case BinaryOp::pow:
      if constexpr (std::is_floating_point_v<T>) return visitor([](T a, T b) { return std::pow(a, b); });
      break;
  }
  throw_error("div and pow are for floating types");
}

template <class T, class Visitor>
void visit_gradient_a(BinaryOp op, Visitor&& visitor) {
  switch (op) {
    case BinaryOp::mul:
      return visitor([](T g, T, T b) { return g * b; });
    case BinaryOp::div:
      return visitor([](T g, T, T b) { return g / b; });
    case BinaryOp::pow:
      return visitor([](T g, T a, T b) { return b == 0 ? T(0) : g * b * std::pow(a, b - 1); });
    case BinaryOp::minimum:
      return visitor([](T g, T a, T b) { return share(g, a < b, a == b); });
    case BinaryOp::maximum:
      return visitor([](T g, T a, T b) { return share(g, a > b, a == b); });
    case BinaryOp::add:
    case BinaryOp::sub:
      break;
  }
  throw_error("add and sub have no gradient kernels");
}

template <class T, class Visitor>
void visit_gradient_b(BinaryOp op, Visitor&& visitor) {
  switch (op) {
    case BinaryOp::mul:
      return visitor([](T g, T a, T) { return g * a; });
    case BinaryOp::div:
      return visitor([](T g, T a, T b) { return -g * a / (b * b); });
    case BinaryOp::pow:  // 0^b is constant for b >= 0, where the formula would give 0 · −∞
      return visitor([](T g, T a, T b) { return a == 0 && b >= 0 ? T(0) : g * std::pow(a, b) * std::log(a); });
    case BinaryOp::minimum:
      return visitor([](T g, T a, T b) { return share(g, b < a, a == b); });
    case BinaryOp::maximum:
      return visitor([](T g, T a, T b) { return share(g, b > a, a == b); });
    case BinaryOp::add:
    case BinaryOp::sub:
      break;
  }
  throw_error("add and sub have no gradient kernels");
}

template <class T, class Visitor>
void visit(CompareOp op, Visitor&& visitor) {
  switch (op) {
    case CompareOp::eq:
      return visitor([](T a, T b) { return static_cast<std::uint8_t>(a == b); });
    case CompareOp::ne:
      return visitor([](T a, T b) { return static_cast<std::uint8_t>(a != b); });
    case CompareOp::lt:
      return visitor([](T a, T b) { return static_cast<std::uint8_t>(a < b); });
    case CompareOp::le:
      return visitor([](T a, T b) { return static_cast<std::uint8_t>(a <= b); });
    case CompareOp::gt:
      return visitor([](T a, T b) { return static_cast<std::uint8_t>(a > b); });
    case CompareOp::ge:
      return visitor([](T a, T b) { return static_cast<std::uint8_t>(a >= b); });
  }
}

}  // namespace

template <class T>
void unary_forward(Cpu, UnaryOp op, std::int64_t n, const T* input, T* output) {
  switch (op) {
    case UnaryOp::neg:
      return map(
          n, [](T x) { return -x; }, output, input);
    case UnaryOp::abs:
      return map(
          n, [](T x) { return std::abs(x); }, output, input);
    default:
      break;
  }
  if constexpr (std::is_floating_point_v<T>) {
    if (op == UnaryOp::exp)
      return map(
          n, [](T x) { return vector_math::exp(x); }, output, input);
    if (op == UnaryOp::log)
      return map(
          n, [](T x) { return std::log(x); }, output, input);
    if (op == UnaryOp::sqrt)
      return map(
          n, [](T x) { return std::sqrt(x); }, output, input);
  }
  throw_error("exp, log and sqrt are for floating types");
}

template <class T>
void unary_backward(Cpu, UnaryOp op, std::int64_t n, const T* grad_output, const T* saved, T* grad_input) {
  switch (op) {
    case UnaryOp::neg:
      return map(
          n, [](T g) { return -g; }, grad_input, grad_output);
    case UnaryOp::abs:
      return map(
          n, [](T g, T x) { return x > 0   ? g
                                   : x < 0 ? -g
                                           : g * x; }, grad_input, grad_output, saved);
    case UnaryOp::exp:
      return map(
          n, [](T g, T y) { return g * y; }, grad_input, grad_output, saved);
    case UnaryOp::log:
      return map(
          n, [](T g, T x) { return g / x; }, grad_input, grad_output, saved);
    case UnaryOp::sqrt:
      return map(
          n, [](T g, T y) { return g / (2 * y); }, grad_input, grad_output, saved);
  }
}

template <class T>
void clamp_forward(Cpu, std::int64_t n, T low, T high, const T* input, T* output) {
  map(
      n, [=](T x) { return minimum(maximum(x, low), high); }, output, input);
}

template <class T>
void clamp_backward(Cpu, std::int64_t n, T low, T high, const T* grad_output, const T* input, T* grad_input) {
  map(
      n, [=](T g, T x) { return x >= low && x <= high ? g : T(0); }, grad_input, grad_output, input);
}

template <class T>
void binary_forward(Cpu, BinaryOp op, const Strided<2>& space, const T* a, const T* b, T* output) {
  visit<T>(op, [&](auto function) {
    map_broadcast(space.numel(), function, output, Operand<T>{a, operand_layout(space, 0)},
                  Operand<T>{b, operand_layout(space, 1)});
  });
}

template <class T>
void binary_backward_a(Cpu, BinaryOp op, const Strided<2>& space, const T* grad_output, const T* a, const T* b,
                       T* grad_a) {
  const std::int64_t n = space.numel();
  visit_gradient_a<T>(op, [&](auto function) {
    map_broadcast(n, function, grad_a, dense(grad_output, n), Operand<T>{a, operand_layout(space, 0)},
                  Operand<T>{b, operand_layout(space, 1)});
  });
}

template <class T>
void binary_backward_b(Cpu, BinaryOp op, const Strided<2>& space, const T* grad_output, const T* a, const T* b,
                       T* grad_b) {
  const std::int64_t n = space.numel();
  visit_gradient_b<T>(op, [&](auto function) {
    map_broadcast(n, function, grad_b, dense(grad_output, n), Operand<T>{a, operand_layout(space, 0)},
                  Operand<T>{b, operand_layout(space, 1)});
  });
}

template <class T>
void compare(Cpu, CompareOp op, const Strided<2>& space, const T* a, const T* b, std::uint8_t* output) {
  visit<T>(op, [&](auto function) {
    map_broadcast(space.numel(), function, output, Operand<T>{a, operand_layout(space, 0)},
                  Operand<T>{b, operand_layout(space, 1)});
  });
}

template <class T>
void where(Cpu, const Strided<3>& space, const std::uint8_t* condition, const T* a, const T* b, T* output) {
  map_broadcast(
      space.numel(), [](std::uint8_t c, T x, T y) { return c != 0 ? x : y; }, output,
      Operand<std::uint8_t>{condition, operand_layout(space, 0)}, Operand<T>{a, operand_layout(space, 1)},
      Operand<T>{b, operand_layout(space, 2)});
}

template <class From, class To>
void cast(Cpu, std::int64_t n, const From* input, To* output) {
  map(
      n, [](From x) { return static_cast<To>(x); }, output, input);
}

template <class T>
void fill(Cpu, std::int64_t n, T value, T* output) {
  map(
      n, [=] { return value; }, output);
}

template <class T>
void add_scaled(Cpu, std::int64_t n, T factor, const T* input, T* output) {
  map(
      n, [=](T x, T y) { return y + factor * x; }, output, input, output);
}

}  // namespace DEFT_SIMD

#define DEFT_FLOATING(T)                                                                                   \
  DEFT_KERNEL(void, unary_backward, Cpu, UnaryOp, std::int64_t, const T*, const T*, T*)                    \
  DEFT_KERNEL(void, clamp_forward, Cpu, std::int64_t, T, T, const T*, T*)                                  \
  DEFT_KERNEL(void, clamp_backward, Cpu, std::int64_t, T, T, const T*, const T*, T*)                       \
  DEFT_KERNEL(void, binary_backward_a, Cpu, BinaryOp, const Strided<2>&, const T*, const T*, const T*, T*) \
  DEFT_KERNEL(void, binary_backward_b, Cpu, BinaryOp, const Strided<2>&, const T*, const T*, const T*, T*) \
  DEFT_KERNEL(void, add_scaled, Cpu, std::int64_t, T, const T*, T*)
#define DEFT_SIGNED(T)                                                       \
  DEFT_KERNEL(void, unary_forward, Cpu, UnaryOp, std::int64_t, const T*, T*) \
  DEFT_KERNEL(void, binary_forward, Cpu, BinaryOp, const Strided<2>&, const T*, const T*, T*)
#define DEFT_ALL(T)                                                                                \
  DEFT_KERNEL(void, compare, Cpu, CompareOp, const Strided<2>&, const T*, const T*, std::uint8_t*) \
  DEFT_KERNEL(void, where, Cpu, const Strided<3>&, const std::uint8_t*, const T*, const T*, T*)    \
  DEFT_KERNEL(void, cast, Cpu, std::int64_t, const T*, float*)                                     \
  DEFT_KERNEL(void, cast, Cpu, std::int64_t, const T*, double*)                                    \
  DEFT_KERNEL(void, cast, Cpu, std::int64_t, const T*, std::int64_t*)                              \
  DEFT_KERNEL(void, cast, Cpu, std::int64_t, const T*, std::uint8_t*)                              \
  DEFT_KERNEL(void, fill, Cpu, std::int64_t, T, T*)

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)
DEFT_INSTANTIATE_SIGNED(DEFT_SIGNED)
DEFT_INSTANTIATE_ALL(DEFT_ALL)

}  // namespace deft::kernels
