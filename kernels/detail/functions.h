// The formulas of the elementwise kernels, each written once: CPU kernels, per instruction set, and CUDA kernels apply
// these functions to their elements. Before this header comes the math.h of the place, kernels/cpu's or kernels/cuda's.
#pragma once

#include <cstdint>
#include <type_traits>

#include "deft/kernels/elementwise.h"
#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels::DEFT_PLACE {

using math::is_nan;

// Two selections each, since GCC makes no vector code of one with two conditions.
template <class T>
DEFT_HOST_DEVICE inline T minimum(T a, T b) {
  const T smaller = a < b ? a : b;
  return is_nan(a) ? a : smaller;
}

template <class T>
DEFT_HOST_DEVICE inline T maximum(T a, T b) {
  const T larger = a > b ? a : b;
  return is_nan(a) ? a : larger;
}

/// The directions of a function, as loops over elements take them.
template <class Function>
struct Forward {
  Function function;
  DEFT_HOST_DEVICE auto operator()(auto... x) const { return function.forward(x...); }
};
template <class Function>
Forward(Function) -> Forward<Function>;  // clang deduces no aggregate's parameters before version 17

template <class Function>
struct Backward {
  Function function;
  DEFT_HOST_DEVICE auto operator()(auto g, auto saved) const { return function.backward(g, saved); }
};
template <class Function>
Backward(Function) -> Backward<Function>;

template <class Function>
struct BackwardA {
  Function function;
  DEFT_HOST_DEVICE auto operator()(auto g, auto a, auto b) const { return function.backward_a(g, a, b); }
};
template <class Function>
BackwardA(Function) -> BackwardA<Function>;

template <class Function>
struct BackwardB {
  Function function;
  DEFT_HOST_DEVICE auto operator()(auto g, auto a, auto b) const { return function.backward_b(g, a, b); }
};
template <class Function>
BackwardB(Function) -> BackwardB<Function>;

// Functions of one argument. backward(g, saved) is the gradient with respect to the argument, where g is that of the
// result and `saved` the result or the argument, as backward_reads_output says.

struct Neg {
  DEFT_HOST_DEVICE auto forward(auto x) const { return -x; }
  DEFT_HOST_DEVICE auto backward(auto g, auto) const { return -g; }
};

struct Abs {
  DEFT_HOST_DEVICE auto forward(auto x) const { return math::abs(x); }
  DEFT_HOST_DEVICE auto backward(auto g, auto x) const { return x > 0 ? g : x < 0 ? -g : g * x; }
};

struct Exp {
  DEFT_HOST_DEVICE auto forward(auto x) const { return math::exp(x); }
  DEFT_HOST_DEVICE auto backward(auto g, auto y) const { return g * y; }
};

struct Log {
  DEFT_HOST_DEVICE auto forward(auto x) const { return math::log(x); }
  DEFT_HOST_DEVICE auto backward(auto g, auto x) const { return g / x; }
};

struct Log1p {
  DEFT_HOST_DEVICE auto forward(auto x) const { return math::log1p(x); }
  DEFT_HOST_DEVICE auto backward(auto g, auto x) const { return g / (1 + x); }
};

struct Sqrt {
  DEFT_HOST_DEVICE auto forward(auto x) const { return math::sqrt(x); }
  DEFT_HOST_DEVICE auto backward(auto g, auto y) const { return g / (2 * y); }
};

template <class T>
struct Clamp {
  T low, high;
  DEFT_HOST_DEVICE T forward(T x) const { return minimum(maximum(x, low), high); }
  DEFT_HOST_DEVICE T backward(T g, T x) const { return x >= low && x <= high ? g : T(0); }
};

struct Relu {
  template <class T>
  DEFT_HOST_DEVICE T forward(T x) const {
    return x < 0 ? T(0) : x;
  }
  template <class T>
  DEFT_HOST_DEVICE T backward(T g, T y) const {
    return y > 0 ? g : T(0);
  }
};

template <class T>
struct LeakyRelu {
  T slope;
  DEFT_HOST_DEVICE T forward(T x) const { return x > 0 ? x : slope * x; }
  DEFT_HOST_DEVICE T backward(T g, T x) const { return x > 0 ? g : slope * g; }
};

template <class T>
struct Elu {
  T alpha;
  DEFT_HOST_DEVICE T forward(T x) const { return x > 0 ? x : alpha * math::expm1(x); }
  DEFT_HOST_DEVICE T backward(T g, T x) const { return x > 0 ? g : g * alpha * math::exp(x); }
};

struct Sigmoid {
  DEFT_HOST_DEVICE auto forward(auto x) const { return 1 / (1 + math::exp(-x)); }
  DEFT_HOST_DEVICE auto backward(auto g, auto y) const { return g * y * (1 - y); }
};

struct Tanh {
  DEFT_HOST_DEVICE auto forward(auto x) const { return math::tanh(x); }
  DEFT_HOST_DEVICE auto backward(auto g, auto y) const { return g * (1 - y * y); }
};

struct Gelu {
  template <class T>
  DEFT_HOST_DEVICE T forward(T x) const {
    return x / 2 * (1 + math::erf(x * T(inverse_sqrt_2)));
  }
  template <class T>
  DEFT_HOST_DEVICE T backward(T g, T x) const {
    const T distribution = (1 + math::erf(x * T(inverse_sqrt_2))) / 2;
    const T density = T(inverse_sqrt_2_pi) * math::exp(-x * x / 2);
    return g * (distribution + x * density);
  }

 private:
  static constexpr double inverse_sqrt_2 = 0.70710678118654752440;
  static constexpr double inverse_sqrt_2_pi = 0.39894228040143267794;
};

struct TanhGelu {
  DEFT_HOST_DEVICE auto forward(auto x) const { return x / 2 * (1 + inner_tanh(x)); }
  template <class T>
  DEFT_HOST_DEVICE T backward(T g, T x) const {
    const T t = inner_tanh(x);
    // Beyond ±100 the tanh is ±1 and the inner derivative does not count, but its square must not overflow.
    const T near = x > 100 ? T(100) : x < -100 ? T(-100) : x;
    const T inner = T(sqrt_2_over_pi) * (1 + 3 * T(cubic) * near * near);
    return g * ((1 + t) / 2 + x / 2 * (1 - t * t) * inner);
  }

 private:
  static constexpr double sqrt_2_over_pi = 0.79788456080286535588;
  static constexpr double cubic = 0.044715;

  template <class T>
  DEFT_HOST_DEVICE T inner_tanh(T x) const {
    return math::tanh(T(sqrt_2_over_pi) * (x + T(cubic) * x * x * x));
  }
};

/// Calls `visitor` with the function of `unary`.
template <class T, class Visitor>
void visit(const Unary& unary, Visitor&& visitor) {
  if (unary.op == UnaryOp::neg) return visitor(Neg());
  if (unary.op == UnaryOp::abs) return visitor(Abs());
  if constexpr (std::is_floating_point_v<T>) {
    switch (unary.op) {
      case UnaryOp::neg:
      case UnaryOp::abs:
        break;  // above, since integers have them too
      case UnaryOp::exp:
        return visitor(Exp());
      case UnaryOp::log:
        return visitor(Log());
      case UnaryOp::log1p:
        return visitor(Log1p());
      case UnaryOp::sqrt:
        return visitor(Sqrt());
      case UnaryOp::clamp:
        return visitor(Clamp<T>{static_cast<T>(unary.first), static_cast<T>(unary.second)});
      case UnaryOp::relu:
        return visitor(Relu());
      case UnaryOp::leaky_relu:
        return visitor(LeakyRelu<T>{static_cast<T>(unary.first)});
      case UnaryOp::elu:
        return visitor(Elu<T>{static_cast<T>(unary.first)});
      case UnaryOp::sigmoid:
        return visitor(Sigmoid());
      case UnaryOp::tanh:
        return visitor(Tanh());
      case UnaryOp::gelu:
        return visitor(Gelu());
      case UnaryOp::gelu_tanh:
        return visitor(TanhGelu());
    }
  }
  throw_error("functions of one argument but for neg and abs are for floating types");
}

// Functions of two arguments, and the gradients with respect to each from that of the result, g. Sums and differences
// need none: the gradients are g and ±g.

struct Add {
  DEFT_HOST_DEVICE auto forward(auto a, auto b) const { return a + b; }
};

struct Subtract {
  DEFT_HOST_DEVICE auto forward(auto a, auto b) const { return a - b; }
};

struct Multiply {
  DEFT_HOST_DEVICE auto forward(auto a, auto b) const { return a * b; }
  DEFT_HOST_DEVICE auto backward_a(auto g, auto, auto b) const { return g * b; }
  DEFT_HOST_DEVICE auto backward_b(auto g, auto a, auto) const { return g * a; }
};

struct Divide {
  DEFT_HOST_DEVICE auto forward(auto a, auto b) const { return a / b; }
  DEFT_HOST_DEVICE auto backward_a(auto g, auto, auto b) const { return g / b; }
  DEFT_HOST_DEVICE auto backward_b(auto g, auto a, auto b) const { return -g * a / (b * b); }
};

struct Power {
  DEFT_HOST_DEVICE auto forward(auto a, auto b) const { return math::pow(a, b); }
  template <class T>
  DEFT_HOST_DEVICE T backward_a(T g, T a, T b) const {
    return b == 0 ? T(0) : g * b * math::pow(a, b - 1);
  }
  /// 0^b is constant for b >= 0, where the formula would give 0 · −∞.
  template <class T>
  DEFT_HOST_DEVICE T backward_b(T g, T a, T b) const {
    return a == 0 && b >= 0 ? T(0) : g * math::pow(a, b) * math::log(a);
  }
};

/// The share of the gradient of minimum or maximum for the operand that `wins`.
template <class T>
DEFT_HOST_DEVICE inline T share(T g, bool wins, bool ties) {
  return wins ? g : ties ? g / 2 : T(0);
}

struct Minimum {
  DEFT_HOST_DEVICE auto forward(auto a, auto b) const { return minimum(a, b); }
  DEFT_HOST_DEVICE auto backward_a(auto g, auto a, auto b) const { return share(g, a < b, a == b); }
  DEFT_HOST_DEVICE auto backward_b(auto g, auto a, auto b) const { return share(g, b < a, a == b); }
};

struct Maximum {
  DEFT_HOST_DEVICE auto forward(auto a, auto b) const { return maximum(a, b); }
  DEFT_HOST_DEVICE auto backward_a(auto g, auto a, auto b) const { return share(g, a > b, a == b); }
  DEFT_HOST_DEVICE auto backward_b(auto g, auto a, auto b) const { return share(g, b > a, a == b); }
};

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
  throw_error("div and pow are for floating types");
}

/// Calls `visitor` with the function of a binary operation that has gradients.
template <class T, class Visitor>
void visit_with_gradients(BinaryOp op, Visitor&& visitor) {
  visit<T>(op, [&](auto function) {
    if constexpr (requires { function.backward_a(T(), T(), T()); }) {
      visitor(function);
    } else {
      throw_error("add and sub have no gradient kernels");
    }
  });
}

struct Equal {
  DEFT_HOST_DEVICE std::uint8_t operator()(auto a, auto b) const { return a == b; }
};

struct NotEqual {
  DEFT_HOST_DEVICE std::uint8_t operator()(auto a, auto b) const { return a != b; }
};

struct Less {
  DEFT_HOST_DEVICE std::uint8_t operator()(auto a, auto b) const { return a < b; }
};

struct LessEqual {
  DEFT_HOST_DEVICE std::uint8_t operator()(auto a, auto b) const { return a <= b; }
};

struct Greater {
  DEFT_HOST_DEVICE std::uint8_t operator()(auto a, auto b) const { return a > b; }
};

struct GreaterEqual {
  DEFT_HOST_DEVICE std::uint8_t operator()(auto a, auto b) const { return a >= b; }
};

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

struct Where {
  DEFT_HOST_DEVICE auto operator()(std::uint8_t condition, auto a, auto b) const { return condition != 0 ? a : b; }
};

template <class To>
struct Cast {
  template <class From>
  DEFT_HOST_DEVICE To operator()(From x) const {
    return static_cast<To>(x);
  }
};

template <class T>
struct Constant {
  T value;
  DEFT_HOST_DEVICE T operator()() const { return value; }
};

template <class T>
struct AddScaled {
  T factor;
  DEFT_HOST_DEVICE T operator()(T x, T y) const { return y + factor * x; }
};

}  // namespace deft::kernels::DEFT_PLACE
