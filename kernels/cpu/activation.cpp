#include "deft/kernels/activation.h"

#include "deft/kernels/cpu/strided_loop.h"
#include "deft/kernels/cpu/vector_math.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cpu/kernel.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

constexpr double inverse_sqrt_2 = 0.70710678118654752440;
constexpr double inverse_sqrt_2_pi = 0.39894228040143267794;
constexpr double sqrt_2_over_pi = 0.79788456080286535588;
constexpr double gelu_cubic = 0.044715;

}  // namespace

template <class T>
void relu_forward(Cpu, std::int64_t n, const T* input, T* output) {
  map(
      n, [](T x) { return x < 0 ? T(0) : x; }, output, input);
}

template <class T>
void relu_backward(Cpu, std::int64_t n, const T* grad_output, const T* output, T* grad_input) {
  map(
      n, [](T g, T y) { return y > 0 ? g : T(0); }, grad_input, grad_output, output);
}

template <class T>
void leaky_relu_forward(Cpu, std::int64_t n, T slope, const T* input, T* output) {
  map(
      n, [=](T x) { return x > 0 ? x : slope * x; }, output, input);
}

template <class T>
void leaky_relu_backward(Cpu, std::int64_t n, T slope, const T* grad_output, const T* input, T* grad_input) {
  map(
      n, [=](T g, T x) { return x > 0 ? g : slope * g; }, grad_input, grad_output, input);
}

template <class T>
void sigmoid_forward(Cpu, std::int64_t n, const T* input, T* output) {
  map(
      n, [](T x) { return 1 / (1 + vector_math::exp(-x)); }, output, input);
}

template <class T>
void sigmoid_backward(Cpu, std::int64_t n, const T* grad_output, const T* output, T* grad_input) {
  map(
      n, [](T g, T y) { return g * y * (1 - y); }, grad_input, grad_output, output);
}

template <class T>
void tanh_forward(Cpu, std::int64_t n, const T* input, T* output) {
  map(
      n, [](T x) { return vector_math::tanh(x); }, output, input);
}

template <class T>
void tanh_backward(Cpu, std::int64_t n, const T* grad_output, const T* output, T* grad_input) {
  map(
      n, [](T g, T y) { return g * (1 - y * y); }, grad_input, grad_output, output);
}

template <class T>
void gelu_forward(Cpu, GeluForm form, std::int64_t n, const T* input, T* output) {
  if (form == GeluForm::exact) {
    map(
        n, [](T x) { return x / 2 * (1 + vector_math::erf(x * T(inverse_sqrt_2))); }, output, input);
  } else {
    map(
        n, [](T x) { return x / 2 * (1 + vector_math::tanh(T(sqrt_2_over_pi) * (x + T(gelu_cubic) * x * x * x))); },
        output, input);
  }
}

template <class T>
void gelu_backward(Cpu, GeluForm form, std::int64_t n, const T* grad_output, const T* input, T* grad_input) {
  if (form == GeluForm::exact) {
    const auto gradient = [](T g, T x) {
      const T distribution = (1 + vector_math::erf(x * T(inverse_sqrt_2))) / 2;
      const T density = T(inverse_sqrt_2_pi) * vector_math::exp(-x * x / 2);
      return g * (distribution + x * density);
    };
    map(n, gradient, grad_input, grad_output, input);
  } else {
    const auto gradient = [](T g, T x) {
      const T t = vector_math::tanh(T(sqrt_2_over_pi) * (x + T(gelu_cubic) * x * x * x));
      // Beyond ±100 the tanh is ±1 and the inner derivative does not count, but its square must not overflow.
      const T near = x > 100 ? T(100) : x < -100 ? T(-100) : x;
      const T inner = T(sqrt_2_over_pi) * (1 + 3 * T(gelu_cubic) * near * near);
      return g * ((1 + t) / 2 + x / 2 * (1 - t * t) * inner);
    };
    map(n, gradient, grad_input, grad_output, input);
  }
}

}  // namespace DEFT_SIMD

#define DEFT_FLOATING(T)                                                               \
  DEFT_KERNEL(void, relu_forward, Cpu, std::int64_t, const T*, T*)                     \
  DEFT_KERNEL(void, relu_backward, Cpu, std::int64_t, const T*, const T*, T*)          \
  DEFT_KERNEL(void, leaky_relu_forward, Cpu, std::int64_t, T, const T*, T*)            \
  DEFT_KERNEL(void, leaky_relu_backward, Cpu, std::int64_t, T, const T*, const T*, T*) \
  DEFT_KERNEL(void, sigmoid_forward, Cpu, std::int64_t, const T*, T*)                  \
  DEFT_KERNEL(void, sigmoid_backward, Cpu, std::int64_t, const T*, const T*, T*)       \
  DEFT_KERNEL(void, tanh_forward, Cpu, std::int64_t, const T*, T*)                     \
  DEFT_KERNEL(void, tanh_backward, Cpu, std::int64_t, const T*, const T*, T*)          \
  DEFT_KERNEL(void, gelu_forward, Cpu, GeluForm, std::int64_t, const T*, T*)           \
  DEFT_KERNEL(void, gelu_backward, Cpu, GeluForm, std::int64_t, const T*, const T*, T*)

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
