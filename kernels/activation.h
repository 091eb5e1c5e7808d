// Contract of the activation kernels (float32, float64), on `n` elements each. Outputs may be the same memory as an
// input. Backward kernels take what is cheapest to keep: the output where it suffices, else the input.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/device.h"

namespace deft::kernels {

/// output = max(input, 0); NaN stays NaN.
template <class T>
void relu_forward(Cpu, std::int64_t n, const T* input, T* output);
template <class T>
void relu_forward(Cuda, std::int64_t n, const T* input, T* output);

/// grad_input = grad_output where output > 0, else 0.
template <class T>
void relu_backward(Cpu, std::int64_t n, const T* grad_output, const T* output, T* grad_input);
template <class T>
void relu_backward(Cuda, std::int64_t n, const T* grad_output, const T* output, T* grad_input);

/// output = input where input > 0, else slope · input.
template <class T>
void leaky_relu_forward(Cpu, std::int64_t n, T slope, const T* input, T* output);
template <class T>
void leaky_relu_forward(Cuda, std::int64_t n, T slope, const T* input, T* output);

template <class T>
void leaky_relu_backward(Cpu, std::int64_t n, T slope, const T* grad_output, const T* input, T* grad_input);
template <class T>
void leaky_relu_backward(Cuda, std::int64_t n, T slope, const T* grad_output, const T* input, T* grad_input);

/// output = 1 / (1 + exp(−input)).
template <class T>
void sigmoid_forward(Cpu, std::int64_t n, const T* input, T* output);
template <class T>
void sigmoid_forward(Cuda, std::int64_t n, const T* input, T* output);

/// grad_input = grad_output · output · (1 − output).
template <class T>
void sigmoid_backward(Cpu, std::int64_t n, const T* grad_output, const T* output, T* grad_input);
template <class T>
void sigmoid_backward(Cuda, std::int64_t n, const T* grad_output, const T* output, T* grad_input);

template <class T>
void tanh_forward(Cpu, std::int64_t n, const T* input, T* output);
template <class T>
void tanh_forward(Cuda, std::int64_t n, const T* input, T* output);

/// grad_input = grad_output · (1 − output²).
template <class T>
void tanh_backward(Cpu, std::int64_t n, const T* grad_output, const T* output, T* grad_input);
template <class T>
void tanh_backward(Cuda, std::int64_t n, const T* grad_output, const T* output, T* grad_input);

/// The two forms of the Gaussian error linear unit (Hendrycks and Gimpel 2016, arXiv:1606.08415).
enum class GeluForm {
  exact,  ///< x · Φ(x), with Φ the normal distribution function
  tanh,   ///< x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
};

template <class T>
void gelu_forward(Cpu, GeluForm form, std::int64_t n, const T* input, T* output);
template <class T>
void gelu_forward(Cuda, GeluForm form, std::int64_t n, const T* input, T* output);

template <class T>
void gelu_backward(Cpu, GeluForm form, std::int64_t n, const T* grad_output, const T* input, T* grad_input);
template <class T>
void gelu_backward(Cuda, GeluForm form, std::int64_t n, const T* grad_output, const T* input, T* grad_input);

}  // namespace deft::kernels
