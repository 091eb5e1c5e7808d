#include <cmath>
#include <limits>

#include "deft/kernels/cuda/reduce_block.h"
#include "deft/kernels/cuda/strided_index.h"
#include "deft/kernels/detail/cross_entropy_shares.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cuda/fault.h"
#include "deft/kernels/softmax.h"

namespace deft::kernels {
namespace cuda_softmax {

// A line is what is normalised, `n` elements `stride` apart; its threads share it out. Threads that have no line to
// work on have one of no elements, so that they take part in the barriers.
struct Line {
  std::int64_t number, n, offset, stride;
  int rank, size;  ///< this thread among those of the line

  /// Calls each(offset of the element, its number) for the elements of this thread.
  template <class Each>
  __device__ void for_each(const Each& each) const {
    for (std::int64_t i = rank; i < n; i += size) each(offset + i * stride, i);
  }
};

/// A warp for each line; for lines of few, neighbouring elements.
struct WarpLines {
  static constexpr int per_block = block_threads / warp_threads, size = warp_threads;
  static __device__ int rank() { return static_cast<int>(threadIdx.x) % warp_threads; }
  static __device__ int line() { return static_cast<int>(threadIdx.x) / warp_threads; }
  template <class T, class Combine>
  static __device__ T reduce(T value, T, Combine combine) {
    return reduce_warp(value, combine);
  }
};

/// A block for each line; for lines of many, neighbouring elements.
struct BlockLines {
  static constexpr int per_block = 1, size = block_threads;
  static __device__ int rank() { return static_cast<int>(threadIdx.x); }
  static __device__ int line() { return 0; }
  template <class T, class Combine>
  static __device__ T reduce(T value, T start, Combine combine) {
    return reduce_block(value, start, combine);
  }
};

/// A warp reads neighbouring elements of 32 lines; for lines whose neighbouring elements lie apart.
struct InterleavedLines {
  static constexpr int per_block = warp_threads, size = block_threads / warp_threads;
  static __device__ int rank() { return static_cast<int>(threadIdx.x) / warp_threads; }
  static __device__ int line() { return static_cast<int>(threadIdx.x) % warp_threads; }
  template <class T, class Combine>
  static __device__ T reduce(T value, T start, Combine combine) {
    DEFT_SHARED(T, partial, block_threads);
    partial[threadIdx.x] = value;
    __syncthreads();
    T total = start;
    for (int i = 0; i < size; ++i) total = combine(total, partial[i * warp_threads + line()]);
    __syncthreads();  // the next reduction writes to `partial`
    return total;
  }
};

template <class T>
inline constexpr T minus_infinity = -std::numeric_limits<T>::infinity();
template <class T>
inline constexpr T not_a_number = std::numeric_limits<T>::quiet_NaN();

template <class Lines, class T>
__device__ T maximum_of(const Line& line, const T* x) {
  T maximum = minus_infinity<T>;
  line.for_each([&](std::int64_t at, std::int64_t) { maximum = Larger()(maximum, x[at]); });
  return Lines::reduce(maximum, minus_infinity<T>, Larger());
}

/// The sum of term(offset, number) over the elements.
template <class Lines, class Term>
__device__ double sum_of(const Line& line, const Term& term) {
  double sum = 0;
  line.for_each([&](std::int64_t at, std::int64_t i) { sum += static_cast<double>(term(at, i)); });
  return Lines::reduce(sum, 0.0, Plus());
}

template <class Lines, class T>
__device__ double sum_of_exp(const Line& line, const T* x, T maximum) {
  return sum_of<Lines>(line, [&](std::int64_t at, std::int64_t) { return std::exp(x[at] - maximum); });
}

template <class T>
struct Forward {
  const T* input;
  T* output;

  template <class Lines>
  __device__ void run(const Line& line) const {
    const T maximum = maximum_of<Lines>(line, input);
    const T factor = static_cast<T>(1 / sum_of_exp<Lines>(line, input, maximum));
    line.for_each([&](std::int64_t at, std::int64_t) { output[at] = std::exp(input[at] - maximum) * factor; });
  }
};

template <class T>
struct Backward {
  const T *grad_output, *output;
  T* grad_input;

  template <class Lines>
  __device__ void run(const Line& line) const {
    const auto product = [&](std::int64_t at, std::int64_t) {
      return static_cast<double>(grad_output[at]) * static_cast<double>(output[at]);
    };
    const T dot = static_cast<T>(sum_of<Lines>(line, product));
    line.for_each([&](std::int64_t at, std::int64_t) { grad_input[at] = output[at] * (grad_output[at] - dot); });
  }
};

template <class T>
struct LogForward {
  const T* input;
  T* output;

  template <class Lines>
  __device__ void run(const Line& line) const {
    const T maximum = maximum_of<Lines>(line, input);
    const T log_sum = static_cast<T>(std::log(sum_of_exp<Lines>(line, input, maximum)));
    line.for_each([&](std::int64_t at, std::int64_t) { output[at] = input[at] - maximum - log_sum; });
  }
};

template <class T>
struct LogBackward {
  const T *grad_output, *output;
  T* grad_input;

  template <class Lines>
  __device__ void run(const Line& line) const {
    const auto grad = [&](std::int64_t at, std::int64_t) { return grad_output[at]; };
    const T total = static_cast<T>(sum_of<Lines>(line, grad));
    line.for_each(
        [&](std::int64_t at, std::int64_t) { grad_input[at] = grad_output[at] - std::exp(output[at]) * total; });
  }
};

/// The weights of the classes; ones where there are none.
template <class T>
struct ClassWeights {
  const T* weight;

  __device__ T operator[](std::int64_t c) const { return weight == nullptr ? T(1) : weight[c]; }

  template <class Lines>
  __device__ T mean(const Line& line) const {
    if (weight == nullptr) return 1;
    const auto of_class = [&](std::int64_t, std::int64_t c) { return weight[c]; };
    return static_cast<T>(sum_of<Lines>(line, of_class) / static_cast<double>(line.n));
  }
};

template <class T>
struct CrossEntropyForward {
  const T* logits;
  const std::int64_t* target;
  std::int64_t ignore_index;
  IndexCheck check;
  ClassWeights<T> weights;
  T smoothing;
  T *loss, *log_sum_exp, *target_weight;

  template <class Lines>
  __device__ void run(const Line& line) const {
    const T maximum = maximum_of<Lines>(line, logits);
    const T log_sum = static_cast<T>(std::log(sum_of_exp<Lines>(line, logits, maximum)));
    const auto distance = [&](std::int64_t at, std::int64_t c) { return weights[c] * (maximum - logits[at]); };
    const T mean_distance = static_cast<T>(sum_of<Lines>(line, distance) / static_cast<double>(line.n));
    const T mean_weight = smoothing > 0 ? weights.template mean<Lines>(line) : T(1);
    if (line.rank != 0 || line.n == 0) return;
    const std::int64_t wanted = target[line.number];
    T own_weight = 0, own_loss = 0;
    if (wanted != ignore_index) {
      const bool exists = check(line.number, wanted);
      own_weight = exists ? weights[wanted] : not_a_number<T>;
      const T at_target = exists ? maximum - logits[line.offset + wanted] : not_a_number<T>;
      own_loss = CrossEntropyShares<T>(smoothing, own_weight, mean_weight).loss(log_sum, at_target, mean_distance);
    }
    loss[line.number] = own_loss;
    log_sum_exp[line.number] = maximum + log_sum;
    if (target_weight != nullptr) target_weight[line.number] = own_weight;
  }
};

template <class T>
struct CrossEntropyBackward {
  const T *grad_loss, *logits;
  const std::int64_t* target;
  std::int64_t ignore_index;
  ClassWeights<T> weights;
  const T* log_sum_exp;
  T smoothing;
  T* grad_logits;

  template <class Lines>
  __device__ void run(const Line& line) const {
    const T mean_weight = smoothing > 0 ? weights.template mean<Lines>(line) : T(1);
    if (line.n == 0) return;
    const std::int64_t wanted = target[line.number];
    if (wanted == ignore_index) {
      line.for_each([&](std::int64_t at, std::int64_t) { grad_logits[at] = 0; });
      return;
    }
    const bool exists = wanted >= 0 && wanted < line.n;
    const CrossEntropyShares<T> shares(smoothing, exists ? weights[wanted] : not_a_number<T>, mean_weight);
    const T g = grad_loss[line.number], base = log_sum_exp[line.number];
    const T floor = smoothing / static_cast<T>(line.n);
    line.for_each([&](std::int64_t at, std::int64_t c) {
      const T spread = smoothing > 0 ? floor * weights[c] : T(0), expected = c == wanted ? spread + shares.own : spread;
      grad_logits[at] = g * (shares.total * std::exp(logits[at] - base) - expected);
    });
  }
};

template <class Lines, class Operation>
__global__ void softmax_kernel(SoftmaxShape shape, Operation operation) {
  const std::int64_t lines = shape.outer * shape.inner;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * Lines::per_block;
  for (std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * Lines::per_block; first < lines; first += step) {
    const std::int64_t number = first + Lines::line();
    const std::int64_t outer = quotient(number, shape.inner), inner = number - outer * shape.inner;
    const Line line{
        number,     number < lines ? shape.n : 0, outer * shape.n * shape.inner + inner, shape.inner, Lines::rank(),
        Lines::size};
    operation.template run<Lines>(line);
  }
}

template <class Lines, class Operation>
void start(Cuda device, const SoftmaxShape& shape, const Operation& operation) {
  const std::int64_t lines = shape.n == 0 ? 0 : shape.outer * shape.inner;
  launch(softmax_kernel<Lines, Operation>, Grid(blocks_for(lines, Lines::per_block)), block_threads, 0,
         context(device).stream, shape, operation);
}

/// Runs an operation on lines of neighbouring elements.
template <class Operation>
void run_rows(Cuda device, const SoftmaxShape& shape, const Operation& operation) {
  constexpr std::int64_t enough_for_block = 1024;
  if (shape.n < enough_for_block) return start<WarpLines>(device, shape, operation);
  start<BlockLines>(device, shape, operation);
}

template <class Operation>
void run(Cuda device, const SoftmaxShape& shape, const Operation& operation) {
  if (shape.inner == 1) return run_rows(device, shape, operation);
  start<InterleavedLines>(device, shape, operation);
}

}  // namespace cuda_softmax

template <class T>
void softmax_forward(Cuda device, const SoftmaxShape& shape, const T* input, T* output) {
  run(device, shape, cuda_softmax::Forward<T>{input, output});
}

template <class T>
void softmax_backward(Cuda device, const SoftmaxShape& shape, const T* grad_output, const T* output, T* grad_input) {
  run(device, shape, cuda_softmax::Backward<T>{grad_output, output, grad_input});
}

template <class T>
void log_softmax_forward(Cuda device, const SoftmaxShape& shape, const T* input, T* output) {
  run(device, shape, cuda_softmax::LogForward<T>{input, output});
}

template <class T>
void log_softmax_backward(Cuda device, const SoftmaxShape& shape, const T* grad_output, const T* output,
                          T* grad_input) {
  run(device, shape, cuda_softmax::LogBackward<T>{grad_output, output, grad_input});
}

template <class T>
void cross_entropy_forward(Cuda device, const CrossEntropyShape& shape, const T* logits, const std::int64_t* target,
                           const T* weight, T* loss, T* log_sum_exp, T* target_weight) {
  const IndexCheck check{context(device).fault, "cross_entropy: target", shape.classes};
  run_rows(device, {shape.n, shape.classes, 1},
           cuda_softmax::CrossEntropyForward<T>{logits,
                                                target,
                                                shape.ignore_index,
                                                check,
                                                {weight},
                                                static_cast<T>(shape.label_smoothing),
                                                loss,
                                                log_sum_exp,
                                                target_weight});
}

template <class T>
void cross_entropy_backward(Cuda device, const CrossEntropyShape& shape, const T* grad_loss, const T* logits,
                            const std::int64_t* target, const T* weight, const T* log_sum_exp, T* grad_logits) {
  run_rows(device, {shape.n, shape.classes, 1},
           cuda_softmax::CrossEntropyBackward<T>{grad_loss,
                                                 logits,
                                                 target,
                                                 shape.ignore_index,
                                                 {weight},
                                                 log_sum_exp,
                                                 static_cast<T>(shape.label_smoothing),
                                                 grad_logits});
}

#define DEFT_FLOATING(T)                                                                                              \
  template void softmax_forward<T>(Cuda, const SoftmaxShape&, const T*, T*);                                          \
  template void softmax_backward<T>(Cuda, const SoftmaxShape&, const T*, const T*, T*);                               \
  template void log_softmax_forward<T>(Cuda, const SoftmaxShape&, const T*, T*);                                      \
  template void log_softmax_backward<T>(Cuda, const SoftmaxShape&, const T*, const T*, T*);                           \
  template void cross_entropy_forward<T>(Cuda, const CrossEntropyShape&, const T*, const std::int64_t*, const T*, T*, \
                                         T*, T*);                                                                     \
  template void cross_entropy_backward<T>(Cuda, const CrossEntropyShape&, const T*, const T*, const std::int64_t*,    \
                                          const T*, const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
