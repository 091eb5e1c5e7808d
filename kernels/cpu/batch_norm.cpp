#include "deft/kernels/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "deft/kernels/cpu/channel_groups.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/cpu/kernel.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

// Two sums per channel of every block of rows, kept in double, and the loop over the blocks.
class BlockSums {
 public:
  explicit BlockSums(const BatchNormShape& s)
      : s_(s),
        block_(rows_per_block(s.channels)),
        blocks_((s.rows + block_ - 1) / block_),
        sums_(2 * blocks_ * s.channels) {}

  std::int64_t blocks() const { return blocks_; }
  std::int64_t rows(std::int64_t block) const { return std::min(block_, s_.rows - block * block_); }
  double* first(std::int64_t block) { return sums_.data() + 2 * block * s_.channels; }
  double* second(std::int64_t block) { return first(block) + s_.channels; }

  // Calls body(first element, rows, first sums, second sums) for every block, with zeroed sums.
  template <class Body>
  void for_blocks(const Body& body) {
    parallel_for(blocks_, [&](std::int64_t i) {
      std::fill_n(first(i), 2 * s_.channels, 0.0);
      body(i * block_ * s_.channels, rows(i), first(i), second(i));
    });
  }

 private:
  BatchNormShape s_;
  std::int64_t block_, blocks_;
  Scratch<double> sums_;
};

// Rows whose sums are taken in T before they are added to those in double.
constexpr std::int64_t rows_in_turn = 16;

template <class V, class T>
inline void add_lanes(double* sums, V values) {
  T lane[width<V, T>];
  store_as(lane, values);
  for (std::int64_t i = 0; i < width<V, T>; ++i) sums[i] += static_cast<double>(lane[i]);
}

// Adds to two sums per channel what body(row's first element, first terms, second terms) adds to V first[count] and
// second[count] in every row.
template <class V, int count, class T, class Body>
inline void sum_rows(Groups<V, count>, std::int64_t rows, std::int64_t channels, double* first, double* second,
                     const Body& body) {
  for (std::int64_t begin = 0; begin < rows; begin += rows_in_turn) {
    const std::int64_t end = std::min(begin + rows_in_turn, rows);
    V one[count] = {}, two[count] = {};
    for (std::int64_t r = begin; r < end; ++r) body(r * channels, one, two);
    DEFT_UNROLL
    for (int k = 0; k < count; ++k) {
      add_lanes<V, T>(first + k * width<V, T>, one[k]);
      add_lanes<V, T>(second + k * width<V, T>, two[k]);
    }
  }
}

// Mean and sum of squared deviations of the rows of one block, in one pass: deviations are taken from the mean of the
// first rows, which is near enough to that of the block for the difference to lose nothing.
template <class V, int count, class T>
__attribute__((noinline)) void block_moments(Groups<V, count> groups, const T* input, std::int64_t rows,
                                             std::int64_t channels, double* means, double* squares) {
  for (std::int64_t c = 0; c < groups.channels; c += count * width<V, T>) {
    const T* x = input + c;
    const std::int64_t first_rows = std::min(rows, rows_in_turn);
    V near[count] = {};
    for (std::int64_t r = 0; r < first_rows; ++r) {
      DEFT_UNROLL
      for (int k = 0; k < count; ++k) near[k] += load_as<V>(x + r * channels + k * width<V, T>);
    }
    DEFT_UNROLL
    for (int k = 0; k < count; ++k) near[k] /= static_cast<T>(first_rows);
    sum_rows<V, count, T>(groups, rows, channels, means + c, squares + c, [&](std::int64_t row, V* sum, V* square) {
      DEFT_UNROLL
      for (int k = 0; k < count; ++k) {
        const V deviation = load_as<V>(x + row + k * width<V, T>) - near[k];
        sum[k] += deviation;
        square[k] += deviation * deviation;
      }
    });
    T base[count * width<V, T>];
    __builtin_memcpy(base, near, sizeof base);
    for (std::int64_t i = 0; i < count * width<V, T>; ++i) {
      const double shift = means[c + i] / static_cast<double>(rows);
      squares[c + i] -= shift * means[c + i];
      means[c + i] = static_cast<double>(base[i]) + shift;
    }
  }
}

// Sums of grad_output, and of grad_output · (input − mean), over the rows of one block.
template <class V, int count, class T>
__attribute__((noinline)) void block_gradients(Groups<V, count> groups, const T* grad_output, const T* input,
                                               const T* mean, std::int64_t rows, std::int64_t channels, double* plain,
                                               double* weighted) {
  for (std::int64_t c = 0; c < groups.channels; c += count * width<V, T>) {
    V middle[count];
    DEFT_UNROLL
    for (int k = 0; k < count; ++k) middle[k] = load_as<V>(mean + c + k * width<V, T>);
    sum_rows<V, count, T>(groups, rows, channels, plain + c, weighted + c, [&](std::int64_t row, V* sum, V* product) {
      DEFT_UNROLL
      for (int k = 0; k < count; ++k) {
        const std::int64_t at = row + c + k * width<V, T>;
        const V gradient = load_as<V>(grad_output + at);
        sum[k] += gradient;
        product[k] += gradient * (load_as<V>(input + at) - middle[k]);
      }
    });
  }
}

// Sums whose terms are formed in double, for channels whose terms overflow T, or underflow it and count all the same.
// They cost several times as much as those above, and other channels keep theirs.
template <class T>
__attribute__((noinline)) void block_moments_in_double(const T* input, std::int64_t rows, std::int64_t channels,
                                                       double* means, double* squares) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* x = input + r * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      const double deviation = static_cast<double>(x[c]) - static_cast<double>(input[c]);
      means[c] += deviation;
      squares[c] += deviation * deviation;
    }
  }
  for (std::int64_t c = 0; c < channels; ++c) {
    const double shift = means[c] / static_cast<double>(rows);
    squares[c] -= shift * means[c];
    means[c] = static_cast<double>(input[c]) + shift;
  }
}

template <class T>
__attribute__((noinline)) void block_gradients_in_double(const T* grad_output, const T* input, const T* mean,
                                                         std::int64_t rows, std::int64_t channels, double* plain,
                                                         double* weighted) {
  for (std::int64_t at = 0; at < rows * channels; at += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const double gradient = static_cast<double>(grad_output[at + c]);
      plain[c] += gradient;
      weighted[c] += gradient * (static_cast<double>(input[at + c]) - static_cast<double>(mean[c]));
    }
  }
}

// Variances (plus eps) below which squares of deviations that T cannot hold count.
template <class T>
constexpr double least_variance = static_cast<double>(std::numeric_limits<T>::min()) /
                                  static_cast<double>(std::numeric_limits<T>::epsilon());

inline bool is_finite(double value) { return value - value == 0; }

// Replaces the sums of the channels for which is_lost(first sum, second sum, channel), if there are any, by those that
// `body` takes of all rows and `join` joins.
template <class IsLost, class Body, class Join>
void replace_lost(BlockSums& sums, const BatchNormShape& s, const IsLost& is_lost, const Body& body, const Join& join) {
  const auto lost = [&](std::int64_t c) { return is_lost(sums.first(0)[c], sums.second(0)[c], c); };
  std::int64_t c = 0;
  while (c < s.channels && !lost(c)) ++c;
  if (c == s.channels) return;
  BlockSums again(s);
  again.for_blocks(body);
  join(again, s.channels);
  for (; c < s.channels; ++c) {
    if (!lost(c)) continue;
    sums.first(0)[c] = again.first(0)[c];
    sums.second(0)[c] = again.second(0)[c];
  }
}

// Joins the blocks' moments in their order (Chan, Golub & LeVeque 1979) into those of block 0.
void join_moments(BlockSums& sums, std::int64_t channels) {
  double* mean = sums.first(0);
  double* squares = sums.second(0);
  double rows = static_cast<double>(sums.rows(0));
  for (std::int64_t b = 1; b < sums.blocks(); ++b) {
    const double more = static_cast<double>(sums.rows(b));
    for (std::int64_t c = 0; c < channels; ++c) {
      const double difference = sums.first(b)[c] - mean[c];
      mean[c] += difference * more / (rows + more);
      squares[c] += sums.second(b)[c] + difference * difference * rows * more / (rows + more);
    }
    rows += more;
  }
}

// Adds up the blocks' sums in their order into those of block 0.
void join_sums(BlockSums& sums, std::int64_t channels) {
  for (std::int64_t b = 1; b < sums.blocks(); ++b) {
    for (std::int64_t i = 0; i < 2 * channels; ++i) sums.first(0)[i] += sums.first(b)[i];
  }
}

template <class T>
void normalise(const BatchNormShape& s, const T* input, const T* weight, const T* bias, const T* mean, const T* inv_std,
               T* output) {
  Scratch<T> scale(s.channels), shift(s.channels);
  for (std::int64_t c = 0; c < s.channels; ++c) {
    scale[c] = weight != nullptr ? inv_std[c] * weight[c] : inv_std[c];
    shift[c] = bias != nullptr ? bias[c] : T(0);
  }
  const T *scale_of = scale.data(), *shift_of = shift.data();
  parallel_blocks(s.rows, rows_per_block(s.channels), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* x = input + r * s.channels;
      T* y = output + r * s.channels;
      for (std::int64_t c = 0; c < s.channels; ++c) y[c] = (x[c] - mean[c]) * scale_of[c] + shift_of[c];
    }
  });
}

}  // namespace
}  // namespace DEFT_SIMD

using namespace DEFT_SIMD;

template <class T>
void batch_norm_forward_training(Set, const BatchNormShape& s, const T* input, const T* weight, const T* bias,
                                 double eps, const RunningStatistics<T>& running, T* mean, T* inv_std, T* output) {
  if (s.rows == 0) {
    std::fill_n(mean, s.channels, T(0));
    std::fill_n(inv_std, s.channels, T(0));
    return;
  }
  BlockSums sums(s);
  sums.for_blocks([&](std::int64_t at, std::int64_t rows, double* means, double* squares) {
    for_channel_groups<T>(s.channels, [&](std::int64_t c, auto groups) {
      block_moments(groups, input + at + c, rows, s.channels, means + c, squares + c);
    });
  });
  join_moments(sums, s.channels);
  const auto n = static_cast<double>(s.rows);
  if constexpr (!std::is_same_v<T, double>) {
    replace_lost(
        sums, s,
        [&](double, double squares, std::int64_t) {
          return !is_finite(squares) || squares / n + eps < least_variance<T>;
        },
        [&](std::int64_t at, std::int64_t rows, double* means, double* squares) {
          block_moments_in_double(input + at, rows, s.channels, means, squares);
        },
        join_moments);
  }
  const auto update = [&](T* statistic, std::int64_t c, double batch) {
    if (statistic == nullptr) return;
    statistic[c] =
        static_cast<T>((1 - running.momentum) * static_cast<double>(statistic[c]) + running.momentum * batch);
  };
  for (std::int64_t c = 0; c < s.channels; ++c) {
    const double squares = sums.second(0)[c];
    mean[c] = static_cast<T>(sums.first(0)[c]);
    inv_std[c] = static_cast<T>(1 / std::sqrt(squares / n + eps));
    update(running.mean, c, sums.first(0)[c]);
    update(running.variance, c, squares / (n - 1));
  }
  normalise(s, input, weight, bias, mean, inv_std, output);
}

template <class T>
void batch_norm_forward_inference(Set, const BatchNormShape& s, const T* input, const T* weight, const T* bias,
                                  double eps, const T* mean, const T* variance, T* inv_std, T* output) {
  for (std::int64_t c = 0; c < s.channels; ++c) {
    inv_std[c] = static_cast<T>(1 / std::sqrt(static_cast<double>(variance[c]) + eps));
  }
  normalise(s, input, weight, bias, mean, inv_std, output);
}

template <class T>
void batch_norm_backward(Set, const BatchNormShape& s, bool training, const T* grad_output, const T* input,
                         const T* mean, const T* inv_std, const T* weight, const BatchNormGradients<T>& gradients) {
  // grad_input = (grad_output − pull − (input − mean) · slope) · scale; pull and slope are zero for constant
  // statistics.
  Scratch<T> scale(s.channels), pull(s.channels), slope(s.channels);
  for (std::int64_t c = 0; c < s.channels; ++c) {
    scale[c] = weight != nullptr ? inv_std[c] * weight[c] : inv_std[c];
    pull[c] = slope[c] = T(0);
  }
  if (training || gradients.weight != nullptr || gradients.bias != nullptr) {
    BlockSums sums(s);
    sums.for_blocks([&](std::int64_t at, std::int64_t rows, double* plain, double* weighted) {
      for_channel_groups<T>(s.channels, [&](std::int64_t c, auto groups) {
        block_gradients(groups, grad_output + at + c, input + at + c, mean + c, rows, s.channels, plain + c,
                        weighted + c);
      });
    });
    join_sums(sums, s.channels);
    if constexpr (!std::is_same_v<T, double>) {
      const auto is_lost = [&](double plain, double weighted, std::int64_t c) {
        const double inverse = static_cast<double>(inv_std[c]);
        return !is_finite(plain) || !is_finite(weighted) || inverse * inverse * least_variance<T> > 1;
      };
      const auto sum_block = [&](std::int64_t at, std::int64_t rows, double* plain, double* weighted) {
        block_gradients_in_double(grad_output + at, input + at, mean, rows, s.channels, plain, weighted);
      };
      if (s.rows > 0) replace_lost(sums, s, is_lost, sum_block, join_sums);
    }
    for (std::int64_t c = 0; c < s.channels; ++c) {
      const double plain = s.rows > 0 ? sums.first(0)[c] : 0, weighted = s.rows > 0 ? sums.second(0)[c] : 0;
      const double inverse = static_cast<double>(inv_std[c]);
      if (gradients.bias != nullptr) gradients.bias[c] = static_cast<T>(plain);
      if (gradients.weight != nullptr) gradients.weight[c] = static_cast<T>(weighted * inverse);
      if (training) {
        pull[c] = static_cast<T>(plain / static_cast<double>(s.rows));
        slope[c] = static_cast<T>(weighted * inverse * inverse / static_cast<double>(s.rows));
      }
    }
  }
  if (gradients.input == nullptr) return;
  const T *scale_of = scale.data(), *pull_of = pull.data(), *slope_of = slope.data();
  parallel_blocks(s.rows, rows_per_block(s.channels), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* g = grad_output + r * s.channels;
      const T* x = input + r * s.channels;
      T* grad = gradients.input + r * s.channels;
      for (std::int64_t c = 0; c < s.channels; ++c) {
        grad[c] = (g[c] - pull_of[c] - (x[c] - mean[c]) * slope_of[c]) * scale_of[c];
      }
    }
  });
}

#define DEFT_INSTANTIATE(T)                                                                                    \
  template void batch_norm_forward_training(Set, const BatchNormShape&, const T*, const T*, const T*, double,  \
                                            const RunningStatistics<T>&, T*, T*, T*);                          \
  template void batch_norm_forward_inference(Set, const BatchNormShape&, const T*, const T*, const T*, double, \
                                             const T*, const T*, T*, T*);                                      \
  template void batch_norm_backward(Set, const BatchNormShape&, bool, const T*, const T*, const T*, const T*,  \
                                    const T*, const BatchNormGradients<T>&);
DEFT_INSTANTIATE_FLOATING(DEFT_INSTANTIATE)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
