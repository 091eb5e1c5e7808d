// Contract of the elementwise kernels. Functions of one argument work on `n` elements; functions of several broadcast:
// `space` holds the shape of the result and one stride per input, in the order of the pointers; the result is dense. An
// output may be the same memory as an input that is not broadcast, and may not overlap the inputs otherwise.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/contract.h"
#include "deft/kernels/strided.h"

namespace deft::kernels {

/// Functions of one argument x, with their parameters.
enum class UnaryOp {
  neg,
  abs,  ///< the derivative at 0 is 0
  exp,
  log,
  log1p,  ///< log(1 + x), as exact near 0 as elsewhere
  sqrt,
  clamp,       ///< (low, high): min(max(x, low), high), NaN stays NaN; the derivative is 1 where low <= x <= high
  relu,        ///< max(x, 0), NaN stays NaN; the derivative at 0 is 0
  leaky_relu,  ///< (slope): x where x > 0, else slope · x
  elu,         ///< (alpha): x where x > 0, else alpha · (exp(x) − 1); the derivative at 0 is alpha
  sigmoid,     ///< 1 / (1 + exp(−x))
  tanh,
  gelu,       ///< x · Φ(x), with Φ the normal distribution function (Hendrycks and Gimpel 2016, arXiv:1606.08415)
  gelu_tanh,  ///< x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))), the paper's approximation
};
enum class BinaryOp { add, sub, mul, div, pow, minimum, maximum };
enum class CompareOp { eq, ne, lt, le, gt, ge };

/// A UnaryOp with the values of its parameters.
struct Unary {
  Unary(UnaryOp op, double first = 0, double second = 0) : op(op), first(first), second(second) {}

  UnaryOp op;
  double first, second;
};

/// output = op(input). float32, float64; neg and abs also int64.
DEFT_CONTRACT((class T), void, unary_forward, const Unary& unary, std::int64_t n, const T* input, T* output);

/// Whether unary_backward reads the output, where it suffices, and not the input.
inline bool backward_reads_output(UnaryOp op) {
  return op == UnaryOp::exp || op == UnaryOp::sqrt || op == UnaryOp::relu || op == UnaryOp::sigmoid ||
         op == UnaryOp::tanh;
}

/// grad_input = grad_output · op'(input). `saved` is the output or the input, as backward_reads_output says; neg does
/// not read it.
DEFT_CONTRACT((class T), void, unary_backward, const Unary& unary, std::int64_t n, const T* grad_output, const T* saved,
              T* grad_input);

/// output = op(a, b). float32, float64; also int64 but for div and pow. minimum and maximum propagate NaN.
DEFT_CONTRACT((class T), void, binary_forward, BinaryOp op, const Strided<2>& space, const T* a, const T* b, T* output);

/// Gradient with respect to a, of the shape of the result: the caller sums it over the axes along which a is broadcast.
/// Where a equals b, minimum and maximum give each half. Not for add and sub, whose gradients are ±grad_output.
DEFT_CONTRACT((class T), void, binary_backward_a, BinaryOp op, const Strided<2>& space, const T* grad_output,
              const T* a, const T* b, T* grad_a);

/// Gradient with respect to b, of the shape of the result.
DEFT_CONTRACT((class T), void, binary_backward_b, BinaryOp op, const Strided<2>& space, const T* grad_output,
              const T* a, const T* b, T* grad_b);

/// output = 1 where the comparison holds, else 0. All types.
DEFT_CONTRACT((class T), void, compare, CompareOp op, const Strided<2>& space, const T* a, const T* b,
              std::uint8_t* output);

/// output = condition ? a : b. All types.
DEFT_CONTRACT((class T), void, where, const Strided<3>& space, const std::uint8_t* condition, const T* a, const T* b,
              T* output);

/// output = input converted as static_cast does. Between all types.
DEFT_CONTRACT((class From, class To), void, cast, std::int64_t n, const From* input, To* output);

/// output = value. All types.
DEFT_CONTRACT((class T), void, fill, std::int64_t n, T value, T* output);

/// output += factor · input. float32, float64.
DEFT_CONTRACT((class T), void, add_scaled, std::int64_t n, T factor, const T* input, T* output);

}  // namespace deft::kernels
