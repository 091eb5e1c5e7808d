// The functions that the elementwise CUDA kernels apply.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

namespace deft::kernels::cuda_elementwise {

template <class T>
__device__ bool is_nan(T x) {
  return x != x;  // also for integers
}

struct Negate {
  template <class T>
  __device__ T operator()(T x) const {
    return -x;
  }
};

struct Abs {
  template <class T>
  __device__ T operator()(T x) const {
    return std::abs(x);
  }
};

struct Exp {
  template <class T>
  __device__ T operator()(T x) const {
    return std::exp(x);
  }
};

struct Log {
  template <class T>
  __device__ T operator()(T x) const {
    return std::log(x);
  }
};

struct Sqrt {
  template <class T>
  __device__ T operator()(T x) const {
    return std::sqrt(x);
  }
};

struct AbsGradient {
  template <class T>
  __device__ T operator()(T g, T x) const {
    return x > 0 ? g : x < 0 ? -g : g * x;
  }
};

struct SqrtGradient {
  template <class T>
  __device__ T operator()(T g, T y) const {
    return g / (2 * y);
  }
};

struct Add {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

struct Subtract {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a - b;
  }
};

struct Multiply {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a * b;
  }
};

struct Divide {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a / b;
  }
};

struct Power {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return std::pow(a, b);
  }
};

struct Minimum {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a < b || is_nan(a) ? a : b;
  }
};

struct Maximum {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a > b || is_nan(a) ? a : b;
  }
};

struct MultiplyGradientA {
  template <class T>
  __device__ T operator()(T g, T, T b) const {
    return g * b;
  }
};

struct MultiplyGradientB {
  template <class T>
  __device__ T operator()(T g, T a, T) const {
    return g * a;
  }
};

struct DivideGradientA {
  template <class T>
  __device__ T operator()(T g, T, T b) const {
    return g / b;
  }
};

struct DivideGradientB {
  template <class T>
  __device__ T operator()(T g, T a, T b) const {
    return -g * a / (b * b);
  }
};

struct PowerGradientA {
  template <class T>
  __device__ T operator()(T g, T a, T b) const {
    return b == 0 ? T(0) : g * b * std::pow(a, b - 1);
  }
};

struct PowerGradientB {
  template <class T>
  __device__ T operator()(T g, T a, T b) const {
    // 0^b is constant for b >= 0, where the formula would give 0 · −∞.
    return a == 0 && b >= 0 ? T(0) : g * std::pow(a, b) * std::log(a);
  }
};

/// The gradient of the smaller (a of minimum, b of maximum) or larger operand.
template <bool smaller>
struct ExtremumGradientA {
  template <class T>
  __device__ T operator()(T g, T a, T b) const {
    return (smaller ? a < b : a > b) ? g : a == b ? g / 2 : T(0);
  }
};

template <bool smaller>
struct ExtremumGradientB {
  template <class T>
  __device__ T operator()(T g, T a, T b) const {
    return ExtremumGradientA<smaller>()(g, b, a);
  }
};

struct Equal {
  template <class T>
  __device__ bool operator()(T a, T b) const {
    return a == b;
  }
};

struct NotEqual {
  template <class T>
  __device__ bool operator()(T a, T b) const {
    return a != b;
  }
};

struct Less {
  template <class T>
  __device__ bool operator()(T a, T b) const {
    return a < b;
  }
};

struct LessEqual {
  template <class T>
  __device__ bool operator()(T a, T b) const {
    return a <= b;
  }
};

struct Greater {
  template <class T>
  __device__ bool operator()(T a, T b) const {
    return a > b;
  }
};

struct GreaterEqual {
  template <class T>
  __device__ bool operator()(T a, T b) const {
    return a >= b;
  }
};

struct Where {
  template <class T>
  __device__ T operator()(std::uint8_t condition, T a, T b) const {
    return condition != 0 ? a : b;
  }
};

template <class T>
struct Clamp {
  T low, high;
  __device__ T operator()(T x) const { return Minimum()(Maximum()(x, low), high); }
};

template <class T>
struct ClampGradient {
  T low, high;
  __device__ T operator()(T g, T x) const { return x >= low && x <= high ? g : T(0); }
};

template <class To>
struct Cast {
  template <class From>
  __device__ To operator()(From x) const {
    return static_cast<To>(x);
  }
};

template <class T>
struct Constant {
  T value;
  __device__ T operator()() const { return value; }
};

template <class T>
struct AddScaled {
  T factor;
  __device__ T operator()(T x, T y) const { return y + factor * x; }
};

}  // namespace deft::kernels::cuda_elementwise
