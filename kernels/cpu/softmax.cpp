#include "deft/kernels/softmax.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "deft/kernels/cpu/kernel.h"
#include "deft/kernels/cpu/strided_loop.h"
#include "deft/kernels/cpu/vector_math.h"
#include "deft/kernels/instantiate.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

/// Calls body(offset, stride) for each line of `n` elements of the tensor; the stride is a constant where it is 1, so
/// that those loops become vector code.
template <class Body>
void for_each_line(const SoftmaxShape& shape, Body&& body) {
  if (shape.n == 0) return;
  const std::int64_t lines_per_block = std::max<std::int64_t>(1, block_elements / shape.n);
  parallel_blocks(shape.outer * shape.inner, lines_per_block, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line) {
      if (shape.inner == 1) {
        body(line * shape.n, std::integral_constant<std::int64_t, 1>());
      } else {
        body(line / shape.inner * shape.n * shape.inner + line % shape.inner, shape.inner);
      }
    }
  });
}

template <class T, class Stride>
T line_maximum(std::int64_t n, const T* x, Stride stride) {
  T maximum = x[0];
#pragma omp simd reduction(max : maximum)
  for (std::int64_t i = 1; i < n; ++i) maximum = std::max(maximum, x[i * stride]);
  return maximum;
}

template <class T, class Stride>
T log_sum_exp_above(T maximum, std::int64_t n, const T* x, Stride stride) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < n; ++i) sum += vector_math::exp(x[i * stride] - maximum);
  return static_cast<T>(std::log(sum));
}

}  // namespace

template <class T>
void softmax_forward(Cpu, const SoftmaxShape& shape, const T* input, T* output) {
  for_each_line(shape, [&](std::int64_t offset, auto stride) {
    const T* x = input + offset;
    T* y = output + offset;
    const T maximum = line_maximum(shape.n, x, stride);
    for (std::int64_t i = 0; i < shape.n; ++i) y[i * stride] = vector_math::exp(x[i * stride] - maximum);
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < shape.n; ++i) sum += y[i * stride];
    const T factor = static_cast<T>(1 / sum);
    for (std::int64_t i = 0; i < shape.n; ++i) y[i * stride] *= factor;
  });
}

template <class T>
void softmax_backward(Cpu, const SoftmaxShape& shape, const T* grad_output, const T* output, T* grad_input) {
  for_each_line(shape, [&](std::int64_t offset, auto stride) {
    const T *g = grad_output + offset, *y = output + offset;
    T* gx = grad_input + offset;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < shape.n; ++i) sum += static_cast<double>(g[i * stride]) * y[i * stride];
    const T dot = static_cast<T>(sum);
    for (std::int64_t i = 0; i < shape.n; ++i) gx[i * stride] = y[i * stride] * (g[i * stride] - dot);
  });
}

template <class T>
void log_softmax_forward(Cpu, const SoftmaxShape& shape, const T* input, T* output) {
  for_each_line(shape, [&](std::int64_t offset, auto stride) {
    const T* x = input + offset;
    T* y = output + offset;
    const T maximum = line_maximum(shape.n, x, stride);
    const T log_sum = log_sum_exp_above(maximum, shape.n, x, stride);
    for (std::int64_t i = 0; i < shape.n; ++i) y[i * stride] = x[i * stride] - maximum - log_sum;
  });
}

template <class T>
void log_softmax_backward(Cpu, const SoftmaxShape& shape, const T* grad_output, const T* output, T* grad_input) {
  for_each_line(shape, [&](std::int64_t offset, auto stride) {
    const T *g = grad_output + offset, *y = output + offset;
    T* gx = grad_input + offset;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < shape.n; ++i) sum += g[i * stride];
    const T total = static_cast<T>(sum);
    for (std::int64_t i = 0; i < shape.n; ++i) gx[i * stride] = g[i * stride] - vector_math::exp(y[i * stride]) * total;
  });
}

template <class T>
void cross_entropy_forward(Cpu, const CrossEntropyShape& shape, const T* logits, const std::int64_t* target, T* loss,
                           T* log_sum_exp) {
  constexpr std::integral_constant<std::int64_t, 1> stride;
  const T smoothing = static_cast<T>(shape.label_smoothing);
  for_each_line({shape.n, shape.classes, 1}, [&](std::int64_t offset, auto) {
    const T* x = logits + offset;
    const std::int64_t sample = offset / shape.classes;
    const T maximum = line_maximum(shape.classes, x, stride);
    const T log_sum = log_sum_exp_above(maximum, shape.classes, x, stride);
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t c = 0; c < shape.classes; ++c) sum += maximum - x[c];
    const T mean = static_cast<T>(sum / static_cast<double>(shape.classes));
    const T at_target = maximum - x[target[sample]];
    loss[sample] = log_sum + (1 - smoothing) * at_target + (smoothing > 0 ? smoothing * mean : T(0));
    log_sum_exp[sample] = maximum + log_sum;
  });
}

template <class T>
void cross_entropy_backward(Cpu, const CrossEntropyShape& shape, const T* grad_loss, const T* logits,
                            const std::int64_t* target, const T* log_sum_exp, T* grad_logits) {
  const T smoothing = static_cast<T>(shape.label_smoothing);
  const T floor = smoothing / static_cast<T>(shape.classes);
  for_each_line({shape.n, shape.classes, 1}, [&](std::int64_t offset, auto) {
    const T* x = logits + offset;
    T* gx = grad_logits + offset;
    const std::int64_t sample = offset / shape.classes;
    const T g = grad_loss[sample], base = log_sum_exp[sample];
    for (std::int64_t c = 0; c < shape.classes; ++c) gx[c] = g * (vector_math::exp(x[c] - base) - floor);
    gx[target[sample]] -= g * (1 - smoothing);
  });
}

}  // namespace DEFT_SIMD

#define DEFT_FLOATING(T)                                                                                            \
  DEFT_KERNEL(void, softmax_forward, Cpu, const SoftmaxShape&, const T*, T*)                                        \
  DEFT_KERNEL(void, softmax_backward, Cpu, const SoftmaxShape&, const T*, const T*, T*)                             \
  DEFT_KERNEL(void, log_softmax_forward, Cpu, const SoftmaxShape&, const T*, T*)                                    \
  DEFT_KERNEL(void, log_softmax_backward, Cpu, const SoftmaxShape&, const T*, const T*, T*)                         \
  DEFT_KERNEL(void, cross_entropy_forward, Cpu, const CrossEntropyShape&, const T*, const std::int64_t*, T*, T*)    \
  DEFT_KERNEL(void, cross_entropy_backward, Cpu, const CrossEntropyShape&, const T*, const T*, const std::int64_t*, \
              const T*, T*)

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
