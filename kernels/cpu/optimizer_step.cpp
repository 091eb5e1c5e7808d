#include "deft/kernels/optimizer_step.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "deft/kernels/allocator.h"
#include "deft/kernels/instantiate.h"
#include "deft/kernels/parallel_for.h"

namespace deft::kernels {
namespace {

// What the elements of one Adam step share.
template <class T>
struct AdamFactors {
  T beta1, take1, beta2, take2, step_size, root_correction, eps, shrink, decay;

  explicit AdamFactors(const AdamStep& step)
      : beta1(static_cast<T>(step.beta1)),
        take1(static_cast<T>(1 - step.beta1)),
        beta2(static_cast<T>(step.beta2)),
        take2(static_cast<T>(1 - step.beta2)),
        step_size(static_cast<T>(step.lr / (1 - std::pow(step.beta1, static_cast<double>(step.step))))),
        root_correction(static_cast<T>(std::sqrt(1 - std::pow(step.beta2, static_cast<double>(step.step))))),
        eps(static_cast<T>(step.eps)),
        shrink(step.decoupled ? static_cast<T>(1 - step.lr * step.weight_decay) : T(1)),
        decay(step.decoupled ? T(0) : static_cast<T>(step.weight_decay)) {}
};

// The factors come by value and the arrays apart, else the compiler reloads the factors after every store.
template <class T>
void adam_block(const AdamFactors<T> f, std::int64_t n, const T* __restrict grad, T* __restrict m, T* __restrict v,
                T* __restrict param) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T p = param[i] * f.shrink;
    const T g = grad[i] + f.decay * p;
    m[i] = f.beta1 * m[i] + f.take1 * g;
    v[i] = f.beta2 * v[i] + f.take2 * g * g;
    param[i] = p - f.step_size * m[i] / (std::sqrt(v[i]) / f.root_correction + f.eps);
  }
}

}  // namespace

template <class T>
void sgd_step(Cpu, std::int64_t n, const SgdStep& step, const T* grad, T* buffer, T* param) {
  const T lr = static_cast<T>(step.lr), momentum = static_cast<T>(step.momentum);
  const T weight_decay = static_cast<T>(step.weight_decay);
  const T take = step.first ? T(1) : static_cast<T>(1 - step.dampening);
  const bool has_momentum = step.momentum != 0;
  parallel_blocks(n, rows_per_block(1), [&](std::int64_t begin, std::int64_t end) {
    if (!has_momentum) {
      for (std::int64_t i = begin; i < end; ++i) param[i] -= lr * (grad[i] + weight_decay * param[i]);
      return;
    }
    for (std::int64_t i = begin; i < end; ++i) {
      const T g = grad[i] + weight_decay * param[i];
      buffer[i] = (step.first ? T(0) : momentum * buffer[i]) + take * g;
      param[i] -= lr * (step.nesterov ? g + momentum * buffer[i] : buffer[i]);
    }
  });
}

template <class T>
void adam_step(Cpu, std::int64_t n, const AdamStep& step, const T* grad, T* m, T* v, T* param) {
  const AdamFactors<T> factors(step);
  parallel_blocks(n, rows_per_block(1), [&](std::int64_t begin, std::int64_t end) {
    adam_block(factors, end - begin, grad + begin, m + begin, v + begin, param + begin);
  });
}

template <class T>
double squared_norm(Cpu, std::int64_t n, const T* values) {
  const std::int64_t block = rows_per_block(1), blocks = (n + block - 1) / block;
  Scratch<double> sums(blocks);
  parallel_for(blocks, [&](std::int64_t i) {
    double sum = 0;
    for (std::int64_t k = i * block; k < std::min((i + 1) * block, n); ++k) {
      sum += static_cast<double>(values[k]) * static_cast<double>(values[k]);
    }
    sums[i] = sum;
  });
  return std::accumulate(sums.data(), sums.data() + blocks, 0.0);
}

#define DEFT_INSTANTIATE(T)                                                             \
  template void sgd_step<T>(Cpu, std::int64_t, const SgdStep&, const T*, T*, T*);       \
  template void adam_step<T>(Cpu, std::int64_t, const AdamStep&, const T*, T*, T*, T*); \
  template double squared_norm<T>(Cpu, std::int64_t, const T*);
DEFT_INSTANTIATE_FLOATING(DEFT_INSTANTIATE)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
