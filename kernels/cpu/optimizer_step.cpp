#include "deft/kernels/optimizer_step.h"

#include <algorithm>

#include "deft/kernels/cpu/math.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/detail/optimizer_updates.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/cpu/kernel.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

/// A part of one of several arrays, of a size that does not depend on the number of threads.
struct ArrayPiece {
  std::size_t array;
  std::int64_t begin, end;
};

template <class Arrays>
std::vector<ArrayPiece> cut(const std::vector<Arrays>& arrays) {
  const std::int64_t size = rows_per_block(1);
  std::vector<ArrayPiece> pieces;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    for (std::int64_t begin = 0; begin < arrays[i].n; begin += size) {
      pieces.push_back({i, begin, std::min(begin + size, arrays[i].n)});
    }
  }
  return pieces;
}

/// Calls body(arrays, begin, end) for parts that cover all of them, in one parallel region.
template <class Arrays, class Body>
void for_each_piece(const std::vector<Arrays>& all, Body&& body) {
  const std::vector<ArrayPiece> pieces = cut(all);
  parallel_for(static_cast<std::int64_t>(pieces.size()), [&](std::int64_t i) {
    const ArrayPiece& piece = pieces[static_cast<std::size_t>(i)];
    body(all[piece.array], piece.begin, piece.end);
  });
}

// The factors come by value and the arrays apart, else the compiler reloads the factors after every store.
template <class T>
void adam_piece(const AdamUpdate<T> update, const AdamCorrection<T> correction, std::int64_t n,
                const T* __restrict grad, T* __restrict m, T* __restrict v, T* __restrict param) {
  for (std::int64_t i = 0; i < n; ++i) update(correction, grad[i], m[i], v[i], param[i]);
}

template <class T>
void sgd_piece(const SgdUpdate<T> update, bool first, std::int64_t n, const T* __restrict grad, T* __restrict buffer,
               T* __restrict param) {
  for (std::int64_t i = 0; i < n; ++i) update(first, grad[i], buffer[i], param[i]);
}

template <class T>
void plain_sgd_piece(const SgdUpdate<T> update, std::int64_t n, const T* __restrict grad, T* __restrict param) {
  for (std::int64_t i = 0; i < n; ++i) update(grad[i], param[i]);
}

}  // namespace
}  // namespace DEFT_SIMD

using namespace DEFT_SIMD;

template <class T>
void sgd_step(Set, const SgdStep& step, const std::vector<SgdArrays<T>>& parameters) {
  const SgdUpdate<T> update(step);
  for_each_piece(parameters, [&](const SgdArrays<T>& arrays, std::int64_t begin, std::int64_t end) {
    const T* grad = arrays.grad + begin;
    T* param = arrays.param + begin;
    if (step.momentum == 0) return plain_sgd_piece(update, end - begin, grad, param);
    sgd_piece(update, arrays.first, end - begin, grad, arrays.buffer + begin, param);
  });
}

template <class T>
void adam_step(Set, const AdamStep& step, const std::vector<AdamArrays<T>>& parameters) {
  const AdamUpdate<T> update(step);
  for_each_piece(parameters, [&](const AdamArrays<T>& arrays, std::int64_t begin, std::int64_t end) {
    adam_piece(update, AdamCorrection<T>(step, arrays.step), end - begin, arrays.grad + begin, arrays.m + begin,
               arrays.v + begin, arrays.param + begin);
  });
}

template <class T>
double squared_norm(Set, const std::vector<GradientArray<const T>>& gradients) {
  const std::vector<ArrayPiece> pieces = cut(gradients);
  Scratch<double> sums(static_cast<std::int64_t>(pieces.size()));
  parallel_for(static_cast<std::int64_t>(pieces.size()), [&](std::int64_t i) {
    const ArrayPiece& piece = pieces[static_cast<std::size_t>(i)];
    const T* values = gradients[piece.array].grad;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t k = piece.begin; k < piece.end; ++k) {
      sum += static_cast<double>(values[k]) * static_cast<double>(values[k]);
    }
    sums[i] = sum;
  });
  double total = 0;
  for (std::size_t array = 0, i = 0; array < gradients.size(); ++array) {
    double of_array = 0;
    for (; i < pieces.size() && pieces[i].array == array; ++i) of_array += sums[static_cast<std::int64_t>(i)];
    total += of_array;
  }
  return total;
}

template <class T>
void scale(Set, T factor, const std::vector<GradientArray<T>>& gradients) {
  for_each_piece(gradients, [&](const GradientArray<T>& array, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) array.grad[i] *= factor;
  });
}

#define DEFT_FLOATING(T)                                                            \
  template void sgd_step(Set, const SgdStep&, const std::vector<SgdArrays<T>>&);    \
  template void adam_step(Set, const AdamStep&, const std::vector<AdamArrays<T>>&); \
  template double squared_norm(Set, const std::vector<GradientArray<const T>>&);    \
  template void scale(Set, T, const std::vector<GradientArray<T>>&);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
