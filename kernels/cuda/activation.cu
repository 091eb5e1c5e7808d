#include <cmath>

#include "deft/kernels/activation.h"
#include "deft/kernels/cuda/map.h"
#include "deft/kernels/detail/instantiate.h"

namespace deft::kernels {
namespace cuda_activation {

inline constexpr double inverse_sqrt_2 = 0.70710678118654752440;
inline constexpr double inverse_sqrt_2_pi = 0.39894228040143267794;
inline constexpr double sqrt_2_over_pi = 0.79788456080286535588;
inline constexpr double gelu_cubic = 0.044715;

struct Relu {
  template <class T>
  __device__ T operator()(T x) const {
    return x < 0 ? T(0) : x;
  }
};

struct ReluGradient {
  template <class T>
  __device__ T operator()(T g, T y) const {
    return y > 0 ? g : T(0);
  }
};

template <class T>
struct LeakyRelu {
  T slope;
  __device__ T operator()(T x) const { return x > 0 ? x : slope * x; }
};

template <class T>
struct LeakyReluGradient {
  T slope;
  __device__ T operator()(T g, T x) const { return x > 0 ? g : slope * g; }
};

struct Sigmoid {
  template <class T>
  __device__ T operator()(T x) const {
    return 1 / (1 + std::exp(-x));
  }
};

struct SigmoidGradient {
  template <class T>
  __device__ T operator()(T g, T y) const {
    return g * y * (1 - y);
  }
};

struct Tanh {
  template <class T>
  __device__ T operator()(T x) const {
    return std::tanh(x);
  }
};

struct TanhGradient {
  template <class T>
  __device__ T operator()(T g, T y) const {
    return g * (1 - y * y);
  }
};

struct Gelu {
  template <class T>
  __device__ T operator()(T x) const {
    return x / 2 * (1 + std::erf(x * T(inverse_sqrt_2)));
  }
};

struct GeluGradient {
  template <class T>
  __device__ T operator()(T g, T x) const {
    const T distribution = (1 + std::erf(x * T(inverse_sqrt_2))) / 2;
    const T density = T(inverse_sqrt_2_pi) * std::exp(-x * x / 2);
    return g * (distribution + x * density);
  }
};

template <class T>
__device__ T gelu_tanh(T x) {
  return std::tanh(T(sqrt_2_over_pi) * (x + T(gelu_cubic) * x * x * x));
}

struct TanhGelu {
  template <class T>
  __device__ T operator()(T x) const {
    return x / 2 * (1 + gelu_tanh(x));
  }
};

struct TanhGeluGradient {
  template <class T>
  __device__ T operator()(T g, T x) const {
    const T t = gelu_tanh(x);
    // Beyond ±100 the tanh is ±1 and the inner derivative does not count, but its square must not overflow.
    const T near = x > 100 ? T(100) : x < -100 ? T(-100) : x;
    const T inner = T(sqrt_2_over_pi) * (1 + 3 * T(gelu_cubic) * near * near);
    return g * ((1 + t) / 2 + x / 2 * (1 - t * t) * inner);
  }
};

}  // namespace cuda_activation

template <class T>
void relu_forward(Cuda device, std::int64_t n, const T* input, T* output) {
  map(device, n, cuda_activation::Relu(), output, input);
}

template <class T>
void relu_backward(Cuda device, std::int64_t n, const T* grad_output, const T* output, T* grad_input) {
  map(device, n, cuda_activation::ReluGradient(), grad_input, grad_output, output);
}

template <class T>
void leaky_relu_forward(Cuda device, std::int64_t n, T slope, const T* input, T* output) {
  map(device, n, cuda_activation::LeakyRelu<T>{slope}, output, input);
}

template <class T>
void leaky_relu_backward(Cuda device, std::int64_t n, T slope, const T* grad_output, const T* input, T* grad_input) {
  map(device, n, cuda_activation::LeakyReluGradient<T>{slope}, grad_input, grad_output, input);
}

template <class T>
void sigmoid_forward(Cuda device, std::int64_t n, const T* input, T* output) {
  map(device, n, cuda_activation::Sigmoid(), output, input);
}

template <class T>
void sigmoid_backward(Cuda device, std::int64_t n, const T* grad_output, const T* output, T* grad_input) {
  map(device, n, cuda_activation::SigmoidGradient(), grad_input, grad_output, output);
}

template <class T>
void tanh_forward(Cuda device, std::int64_t n, const T* input, T* output) {
  map(device, n, cuda_activation::Tanh(), output, input);
}

template <class T>
void tanh_backward(Cuda device, std::int64_t n, const T* grad_output, const T* output, T* grad_input) {
  map(device, n, cuda_activation::TanhGradient(), grad_input, grad_output, output);
}

template <class T>
void gelu_forward(Cuda device, GeluForm form, std::int64_t n, const T* input, T* output) {
  if (form == GeluForm::exact) {
    map(device, n, cuda_activation::Gelu(), output, input);
  } else {
    map(device, n, cuda_activation::TanhGelu(), output, input);
  }
}

template <class T>
void gelu_backward(Cuda device, GeluForm form, std::int64_t n, const T* grad_output, const T* input, T* grad_input) {
  if (form == GeluForm::exact) {
    map(device, n, cuda_activation::GeluGradient(), grad_input, grad_output, input);
  } else {
    map(device, n, cuda_activation::TanhGeluGradient(), grad_input, grad_output, input);
  }
}

#define DEFT_FLOATING(T)                                                               \
  template void relu_forward<T>(Cuda, std::int64_t, const T*, T*);                     \
  template void relu_backward<T>(Cuda, std::int64_t, const T*, const T*, T*);          \
  template void leaky_relu_forward<T>(Cuda, std::int64_t, T, const T*, T*);            \
  template void leaky_relu_backward<T>(Cuda, std::int64_t, T, const T*, const T*, T*); \
  template void sigmoid_forward<T>(Cuda, std::int64_t, const T*, T*);                  \
  template void sigmoid_backward<T>(Cuda, std::int64_t, const T*, const T*, T*);       \
  template void tanh_forward<T>(Cuda, std::int64_t, const T*, T*);                     \
  template void tanh_backward<T>(Cuda, std::int64_t, const T*, const T*, T*);          \
  template void gelu_forward<T>(Cuda, GeluForm, std::int64_t, const T*, T*);           \
  template void gelu_backward<T>(Cuda, GeluForm, std::int64_t, const T*, const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
