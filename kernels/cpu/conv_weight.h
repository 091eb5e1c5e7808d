// The weight's side of a convolution: packed for the forward product, and its gradient, summed over the points of fixed
// chunks of work and the chunks added in order, so that the result does not depend on the number of threads.
#pragma once

#include <cstdint>

#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/cpu/panel.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels::DEFT_SIMD {

/// Weights as right matrices [depth, outputs], one per group, and the caller's bias.
template <class T>
class PackedWeight {
 public:
  PackedWeight(std::int64_t groups, std::int64_t depth, std::int64_t outputs)
      : groups_(groups),
        depth_(depth),
        outputs_(outputs),
        size_(packed_size<T>(depth, outputs)),
        weights_(groups * size_) {}

  /// Packs weight [groups · outputs, depth] for the forward product; `bias` [groups · outputs] may be null, and has to
  /// live as long as this.
  void pack_forward(const T* weight, const T* bias) {
    for (std::int64_t group = 0; group < groups_; ++group) {
      pack_rows(group, 0, depth_, weight + group * outputs_ * depth_, 1, depth_);
    }
    bias_ = bias;
  }

  /// Packs rows [first, first + rows) of a group's matrix from elements at `from`, with the strides of row and column.
  void pack_rows(std::int64_t group, std::int64_t first, std::int64_t rows, const T* from, std::int64_t row_stride,
                 std::int64_t column_stride) {
    pack(depth_, outputs_, first, rows, from, row_stride, column_stride, weights_.data() + group * size_);
  }

  RightMatrix<T> matrix(std::int64_t group) const { return packed(weights_.data() + group * size_, depth_); }

  /// Null without a bias.
  const T* bias(std::int64_t group) const { return bias_ == nullptr ? nullptr : bias_ + group * outputs_; }

 private:
  std::int64_t groups_, depth_, outputs_, size_;
  const T* bias_ = nullptr;
  Scratch<T> weights_;
};

/// The gradients of weight [o, depth] and bias [o], in parts: the first chunk of work sums its own in place, each other
/// in memory of its own, added afterwards in the order of chunks.
template <class T>
class WeightGradient {
 public:
  /// Either pointer may be null.
  WeightGradient(std::int64_t chunks, std::int64_t o, std::int64_t depth, T* grad_weight, T* grad_bias)
      : chunks_(chunks),
        o_(o),
        depth_(depth),
        grad_weight_(grad_weight),
        grad_bias_(grad_bias),
        weights_(grad_weight == nullptr || chunks < 2 ? 0 : (chunks - 1) * o * depth),
        biases_(grad_bias == nullptr || chunks < 2 ? 0 : (chunks - 1) * o) {}

  /// The sums of one chunk, for output channels [first, first + count).
  class Chunk {
   public:
    /// Adds gradᵀ · panel, of `points` points, to the weights of channels [first, first + outputs).
    /// grad [points, o], panel [points, depth] with its padding.
    void add_weight(std::int64_t first, std::int64_t outputs, std::int64_t points, const T* grad,
                    const T* panel) const {
      T* const out = weights_ + first * depth_;
      gemm<T, Layout::transposed>(outputs, depth_, points, grad + first, o_, unpacked(panel, panel_stride<T>(depth_)),
                                  out, depth_, out, depth_);
    }

    /// Adds the column sums of grad [points, o].
    void add_bias(std::int64_t points, const T* grad) const {
      for (std::int64_t j = first_; j < first_ + count_; j += lanes<T>) {
        const std::int64_t rest = first_ + count_ - j;
        Vector<T> even = load_first(biases_ + j, rest), odd = {};  // two sums hide the latency of adding
        std::int64_t point = 0;
        for (; point + 2 <= points; point += 2) {
          even += load_first(grad + point * o_ + j, rest);
          odd += load_first(grad + (point + 1) * o_ + j, rest);
        }
        if (point < points) even += load_first(grad + point * o_ + j, rest);
        store_first(biases_ + j, even + odd, rest);
      }
    }

    /// Sums of weights [o, depth].
    T* weights() const { return weights_; }

   private:
    friend class WeightGradient;
    Chunk(T* weights, T* biases, std::int64_t first, std::int64_t count, std::int64_t o, std::int64_t depth)
        : weights_(weights), biases_(biases), first_(first), count_(count), o_(o), depth_(depth) {
      if (weights != nullptr) clear(weights + first * depth, count * depth);
      if (biases != nullptr) clear(biases + first, count);
    }

    T *weights_, *biases_;
    std::int64_t first_, count_, o_, depth_;
  };

  /// Starts chunk `i` at zero.
  Chunk chunk(std::int64_t i) { return chunk(i, 0, o_); }

  /// The same for output channels [first, first + count) alone, the others being another task's.
  Chunk chunk(std::int64_t i, std::int64_t first, std::int64_t count) {
    return Chunk(grad_weight_ == nullptr || i == 0 ? grad_weight_ : weights_.data() + (i - 1) * o_ * depth_,
                 grad_bias_ == nullptr || i == 0 ? grad_bias_ : biases_.data() + (i - 1) * o_, first, count, o_,
                 depth_);
  }

  /// Adds up all chunks.
  void finish() {
    if (chunks_ == 0) chunk(0);
    if (grad_weight_ != nullptr) add_chunks(weights_.data(), o_ * depth_, grad_weight_);
    if (grad_bias_ != nullptr) add_chunks(biases_.data(), o_, grad_bias_);
  }

 private:
  void add_chunks(const T* from, std::int64_t count, T* to) const {
    if (chunks_ < 2) return;
    parallel_blocks(count, 16384 / chunks_ + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t chunk = 0; chunk < chunks_ - 1; ++chunk) {
        for (std::int64_t i = begin; i < end; ++i) to[i] += from[chunk * count + i];
      }
    });
  }

  std::int64_t chunks_, o_, depth_;
  T *grad_weight_, *grad_bias_;
  Scratch<T> weights_, biases_;
};

}  // namespace deft::kernels::DEFT_SIMD
