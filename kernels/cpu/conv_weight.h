// The weight's side of a convolution: packed for the forward product, and its gradient, summed over the points of fixed
// chunks of work and the chunks added in order, so that the result does not depend on the number of threads.
#pragma once

#include <cstdint>
#include <cstring>

#include "deft/kernels/allocator.h"
#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/cpu/panel.h"
#include "deft/kernels/parallel_for.h"

namespace deft::kernels::DEFT_SIMD {

/// Weights as right matrices [depth, outputs], one per group, and a bias readable to whole tiles.
template <class T>
class PackedWeight {
 public:
  PackedWeight(std::int64_t groups, std::int64_t depth, std::int64_t outputs)
      : groups_(groups),
        depth_(depth),
        outputs_(outputs),
        size_(packed_size<T>(depth, outputs)),
        weights_(groups * size_),
        bias_(groups * outputs + tile_columns<T>) {}

  /// Packs weight [groups · outputs, depth] for the forward product; `bias` [groups · outputs] may be null.
  void pack_forward(const T* weight, const T* bias) {
    for (std::int64_t group = 0; group < groups_; ++group) {
      pack_rows(group, 0, depth_, weight + group * outputs_ * depth_, 1, depth_);
    }
    has_bias_ = bias != nullptr;
    if (has_bias_) std::memcpy(bias_.data(), bias, static_cast<std::size_t>(groups_ * outputs_) * sizeof(T));
  }

  /// Packs rows [first, first + rows) of a group's matrix from elements at `from`, with the strides of row and column.
  void pack_rows(std::int64_t group, std::int64_t first, std::int64_t rows, const T* from, std::int64_t row_stride,
                 std::int64_t column_stride) {
    pack(depth_, outputs_, first, rows, from, row_stride, column_stride, weights_.data() + group * size_);
  }

  RightMatrix<T> matrix(std::int64_t group) const { return packed(weights_.data() + group * size_, depth_); }

  /// Null without a bias.
  const T* bias(std::int64_t group) const { return has_bias_ ? bias_.data() + group * outputs_ : nullptr; }

 private:
  std::int64_t groups_, depth_, outputs_, size_;
  bool has_bias_ = false;
  Scratch<T> weights_, bias_;
};

/// Points whose gradients and pixels are gone through at once: as many as stay in the L1 cache.
constexpr std::int64_t gradient_points = 128;

/// How many pieces of work, each of `points` points, share a partial sum: enough that adding the sums costs little.
inline std::int64_t chunk_pieces(std::int64_t pieces, std::int64_t points) {
  constexpr std::int64_t least_points = 384, most_chunks = 64;
  const std::int64_t wanted = (least_points + points) / (points + 1);
  const std::int64_t needed = (pieces + most_chunks - 1) / most_chunks;
  const std::int64_t larger = wanted > needed ? wanted : needed;
  return larger > 1 ? larger : 1;
}

template <class T>
class WeightGradient {
 public:
  /// Sums for weights [o, depth] and biases [o].
  WeightGradient(std::int64_t chunks, std::int64_t o, std::int64_t depth)
      : chunks_(chunks),
        o_(o),
        depth_(depth),
        stride_(panel_stride<T>(depth)),
        weights_(chunks * o * stride_),
        biases_(chunks * o) {}

  /// The partial sums of one chunk.
  class Chunk {
   public:
    /// Adds gradᵀ · panel, of `points` points, to the weights of channels [first, first + outputs).
    /// grad [points, o], panel [points, depth] with its padding.
    void add_weight(std::int64_t first, std::int64_t outputs, std::int64_t points, const T* grad,
                    const T* panel) const {
      T* const out = weights_ + first * stride_;
      gemm<T, Layout::transposed>(outputs, stride_, points, grad + first, o_, unpacked(panel, stride_), out, stride_,
                                  out, stride_);
    }

    /// The same from gathered rows.
    void add_weight(std::int64_t first, std::int64_t outputs, std::int64_t points, const T* grad,
                    const GatheredRows<T>& rows) const {
      T* out = weights_ + first * stride_;
      for (const Run* run = rows.runs; run != rows.runs + rows.run_count; ++run) {
        gemm_transposed_gathered(outputs, run->count, points, grad + first, o_, rows.data + run->displacement,
                                 rows.origins, out, stride_);
        out += run->count;
      }
    }

    /// Adds the column sums of grad [points, o].
    void add_bias(std::int64_t points, const T* grad) const {
      std::int64_t j = 0;
      for (; j + lanes<T> <= o_; j += lanes<T>) {
        Vector<T> even = load(biases_ + j), odd = {};  // two sums hide the latency of adding
        std::int64_t point = 0;
        for (; point + 2 <= points; point += 2) {
          even += load(grad + point * o_ + j);
          odd += load(grad + (point + 1) * o_ + j);
        }
        if (point < points) even += load(grad + point * o_ + j);
        store(biases_ + j, even + odd);
      }
      for (; j < o_; ++j) {
        for (std::int64_t point = 0; point < points; ++point) biases_[j] += grad[point * o_ + j];
      }
    }

   private:
    friend class WeightGradient;
    Chunk(T* weights, T* biases, std::int64_t o, std::int64_t stride)
        : weights_(weights), biases_(biases), o_(o), stride_(stride) {}

    T *weights_, *biases_;
    std::int64_t o_, stride_;
  };

  /// Starts chunk `i` at zero.
  Chunk chunk(std::int64_t i) {
    T* const weights = weights_.data() + i * o_ * stride_;
    T* const biases = biases_.data() + i * o_;
    for (std::int64_t j = 0; j < o_ * stride_; ++j) weights[j] = 0;
    for (std::int64_t j = 0; j < o_; ++j) biases[j] = 0;
    return Chunk(weights, biases, o_, stride_);
  }

  /// Adds all chunks; either pointer may be null.
  void write(T* grad_weight, T* grad_bias) {
    if (grad_weight != nullptr) {
      const std::int64_t rows = 16384 / (chunks_ * stride_ + 1) + 1;
      parallel_blocks(o_, rows, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t j = begin; j < end; ++j) {
          add_chunks(weights_.data() + j * stride_, o_ * stride_, depth_, grad_weight + j * depth_);
        }
      });
    }
    if (grad_bias != nullptr) add_chunks(biases_.data(), o_, o_, grad_bias);
  }

 private:
  void add_chunks(const T* from, std::int64_t stride, std::int64_t count, T* to) const {
    for (std::int64_t i = 0; i < count; ++i) to[i] = 0;
    for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) {
      for (std::int64_t i = 0; i < count; ++i) to[i] += from[chunk * stride + i];
    }
  }

  std::int64_t chunks_, o_, depth_, stride_;
  Scratch<T> weights_, biases_;
};

}  // namespace deft::kernels::DEFT_SIMD
