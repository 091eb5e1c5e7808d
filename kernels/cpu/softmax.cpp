#include "deft/kernels/softmax.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "deft/kernels/cpu/math.h"
#include "deft/kernels/cpu/strided_loop.h"
#include "deft/kernels/detail/cross_entropy_shares.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cpu/kernel.h"

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
  for (std::int64_t i = 0; i < n; ++i) sum += math::exp(x[i * stride] - maximum);
  return static_cast<T>(std::log(sum));
}

/// The mean of `classes` weights; 1 for none.
template <class T>
T mean_of_weights(std::int64_t classes, const T* weight) {
  if (weight == nullptr) return 1;
  double sum = 0;
  for (std::int64_t c = 0; c < classes; ++c) sum += weight[c];
  return static_cast<T>(sum / static_cast<double>(classes));
}

/// The mean of weight[c] · (maximum − x[c]).
template <class T>
T mean_weighted_distance(T maximum, std::int64_t classes, const T* x, const T* weight) {
  double sum = 0;
  if (weight == nullptr) {
#pragma omp simd reduction(+ : sum)
    for (std::int64_t c = 0; c < classes; ++c) sum += maximum - x[c];
  } else {
#pragma omp simd reduction(+ : sum)
    for (std::int64_t c = 0; c < classes; ++c) sum += weight[c] * (maximum - x[c]);
  }
  return static_cast<T>(sum / static_cast<double>(classes));
}

}  // namespace
}  // namespace DEFT_SIMD

using namespace DEFT_SIMD;

template <class T>
void softmax_forward(Set, const SoftmaxShape& shape, const T* input, T* output) {
  for_each_line(shape, [&](std::int64_t offset, auto stride) {
    const T* x = input + offset;
    T* y = output + offset;
    const T maximum = line_maximum(shape.n, x, stride);
    for (std::int64_t i = 0; i < shape.n; ++i) y[i * stride] = math::exp(x[i * stride] - maximum);
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < shape.n; ++i) sum += y[i * stride];
    const T factor = static_cast<T>(1 / sum);
    for (std::int64_t i = 0; i < shape.n; ++i) y[i * stride] *= factor;
  });
}

template <class T>
void softmax_backward(Set, const SoftmaxShape& shape, const T* grad_output, const T* output, T* grad_input) {
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
void log_softmax_forward(Set, const SoftmaxShape& shape, const T* input, T* output) {
  for_each_line(shape, [&](std::int64_t offset, auto stride) {
    const T* x = input + offset;
    T* y = output + offset;
    const T maximum = line_maximum(shape.n, x, stride);
    const T log_sum = log_sum_exp_above(maximum, shape.n, x, stride);
    for (std::int64_t i = 0; i < shape.n; ++i) y[i * stride] = x[i * stride] - maximum - log_sum;
  });
}

template <class T>
void log_softmax_backward(Set, const SoftmaxShape& shape, const T* grad_output, const T* output, T* grad_input) {
  for_each_line(shape, [&](std::int64_t offset, auto stride) {
    const T *g = grad_output + offset, *y = output + offset;
    T* gx = grad_input + offset;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < shape.n; ++i) sum += g[i * stride];
    const T total = static_cast<T>(sum);
    for (std::int64_t i = 0; i < shape.n; ++i) gx[i * stride] = g[i * stride] - math::exp(y[i * stride]) * total;
  });
}

template <class T>
void cross_entropy_forward(Set, const CrossEntropyShape& shape, const T* logits, const std::int64_t* target,
                           const T* weight, T* loss, T* log_sum_exp, T* target_weight) {
  constexpr std::integral_constant<std::int64_t, 1> stride;
  const T smoothing = static_cast<T>(shape.label_smoothing), mean_weight = mean_of_weights(shape.classes, weight);
  for_each_line({shape.n, shape.classes, 1}, [&](std::int64_t offset, auto) {
    const T* x = logits + offset;
    const std::int64_t sample = offset / shape.classes, wanted = target[sample];
    const bool ignored = wanted == shape.ignore_index;
    const T own_weight = ignored ? T(0) : weight == nullptr ? T(1) : weight[wanted];
    if (target_weight != nullptr) target_weight[sample] = own_weight;
    if (ignored) {
      loss[sample] = log_sum_exp[sample] = 0;
      return;
    }
    const T maximum = line_maximum(shape.classes, x, stride);
    const T log_sum = log_sum_exp_above(maximum, shape.classes, x, stride);
    const T mean_distance = mean_weighted_distance(maximum, shape.classes, x, weight);
    const CrossEntropyShares<T> shares(smoothing, own_weight, mean_weight);
    loss[sample] = shares.loss(log_sum, maximum - x[wanted], mean_distance);
    log_sum_exp[sample] = maximum + log_sum;
  });
}

template <class T>
void cross_entropy_backward(Set, const CrossEntropyShape& shape, const T* grad_loss, const T* logits,
                            const std::int64_t* target, const T* weight, const T* log_sum_exp, T* grad_logits) {
  const T smoothing = static_cast<T>(shape.label_smoothing), mean_weight = mean_of_weights(shape.classes, weight);
  const T floor = smoothing / static_cast<T>(shape.classes);
  for_each_line({shape.n, shape.classes, 1}, [&](std::int64_t offset, auto) {
    const T* x = logits + offset;
    T* gx = grad_logits + offset;
    const std::int64_t sample = offset / shape.classes, wanted = target[sample];
    if (wanted == shape.ignore_index) {
      for (std::int64_t c = 0; c < shape.classes; ++c) gx[c] = 0;
      return;
    }
    const CrossEntropyShares<T> shares(smoothing, weight == nullptr ? T(1) : weight[wanted], mean_weight);
    const T g = grad_loss[sample], base = log_sum_exp[sample];
    if (weight == nullptr) {
      for (std::int64_t c = 0; c < shape.classes; ++c) gx[c] = g * (math::exp(x[c] - base) - floor);
    } else {
      for (std::int64_t c = 0; c < shape.classes; ++c) {
        gx[c] = g * (shares.total * math::exp(x[c] - base) - (smoothing > 0 ? floor * weight[c] : T(0)));
      }
    }
    gx[wanted] -= g * shares.own;
  });
}

#define DEFT_FLOATING(T)                                                                                              \
  template void softmax_forward(Set, const SoftmaxShape&, const T*, T*);                                              \
  template void softmax_backward(Set, const SoftmaxShape&, const T*, const T*, T*);                                   \
  template void log_softmax_forward(Set, const SoftmaxShape&, const T*, T*);                                          \
  template void log_softmax_backward(Set, const SoftmaxShape&, const T*, const T*, T*);                               \
  template void cross_entropy_forward(Set, const CrossEntropyShape&, const T*, const std::int64_t*, const T*, T*, T*, \
                                      T*);                                                                            \
  template void cross_entropy_backward(Set, const CrossEntropyShape&, const T*, const T*, const std::int64_t*,        \
                                       const T*, const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
