// Depthwise convolution: every channel by itself, vectorised over channels.
#pragma once

#include <cstdint>
#include <utility>

#include "deft/kernels/conv2d.h"
#include "deft/kernels/cpu/band.h"
#include "deft/kernels/cpu/panel.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/cpu/simd.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels::DEFT_SIMD {

/// Whether each output channel reads just the input channel of its own number.
inline bool is_depthwise(const Conv2dShape& s) { return s.groups > 1 && s.c == s.groups && s.o == s.groups; }

/// Points of a piece of depthwise work: what they read and write stays in a share of the L2 cache.
inline std::int64_t depthwise_points(std::int64_t channels) {
  constexpr std::int64_t elements = 64 * 1024, most = 4096;
  const std::int64_t fitting = elements / channels + 1;
  return fitting < most ? fitting : most;
}

/// Up to a vector of channels: `rest` are left, `whole` says that these fill it.
template <class T, bool whole>
struct Channels {
  std::int64_t rest;

  Vector<T> read(const T* from) const { return whole ? load(from) : load_first(from, rest); }
  void write(T* to, Vector<T> value) const {
    if constexpr (whole) {
      store(to, value);
    } else {
      store_first(to, value, rest);
    }
  }
};

/// Calls body(Channels, first channel) for vectors of channels that cover [0, c).
template <class T, class Body>
void for_channels(std::int64_t c, Body&& body) {
  std::int64_t i = 0;
  for (; i + lanes<T> <= c; i += lanes<T>) body(Channels<T, true>{lanes<T>}, i);
  if (i < c) body(Channels<T, false>{c - i}, i);
}

/// Calls body(std::integral_constant<int, n>) for n = count ≤ most.
template <int most, class Body>
void with_constant(std::int64_t count, Body&& body) {
  if constexpr (most > 0) {
    if (count == most) {
      body(std::integral_constant<int, most>());
    } else {
      with_constant<most - 1>(count, body);
    }
  }
}

/// Points, or taps, whose sums are kept in registers at once: enough to hide the latency of adding.
constexpr int depthwise_sums = 8;

/// Weights [taps, c] of a depthwise convolution whose tap i is tap_of(i) of weight [c, taps].
template <class T>
class DepthwiseWeight {
 public:
  template <class TapOf>
  DepthwiseWeight(const Conv2dShape& s, std::int64_t taps, const T* weight, TapOf tap_of) : c_(s.c), data_(taps * s.c) {
    for (std::int64_t i = 0; i < taps; ++i) {
      const T* const from = weight + tap_of(i);
      for (std::int64_t channel = 0; channel < c_; ++channel) data_[i * c_ + channel] = from[channel * s.taps()];
    }
  }

  const T* tap(std::int64_t i) const { return data_.data() + i * c_; }

 private:
  std::int64_t c_;
  Scratch<T> data_;
};

/// Sums over all taps at `points` points, `stride` elements apart.
template <int points, class T, bool whole>
__attribute__((no_sanitize("undefined"))) void correlate_points(const Channels<T, whole>& channels, const T* from,
                                                                std::int64_t stride, const Runs<T>& taps,
                                                                const T* weight, std::int64_t c, Vector<T> start, T* to,
                                                                std::int64_t to_stride) {
  Vector<T> sum[points];
  DEFT_UNROLL
  for (int p = 0; p < points; ++p) sum[p] = start;
  for (std::int64_t tap = 0; tap < taps.count(); ++tap, weight += c) {
    const T* const pixels = from + taps.data()[tap].displacement;
    const Vector<T> factor = channels.read(weight);
    DEFT_UNROLL
    for (int p = 0; p < points; ++p) sum[p] += factor * channels.read(pixels + p * stride);
  }
  DEFT_UNROLL
  for (int p = 0; p < points; ++p) channels.write(to + p * to_stride, sum[p]);
}

/// Points of a lattice row: from[tap of point j] · weight + bias, to to + j · to_stride.
template <class T>
void correlate_depthwise_row(const Gather& gather, const Runs<T>& taps, const DepthwiseWeight<T>& weight, const T* bias,
                             const T* from, T* to, std::int64_t to_stride) {
  const std::int64_t stride = gather.step_w * gather.c;
  for_channels<T>(gather.c, [&](auto channels, std::int64_t channel) {
    const Vector<T> start = bias == nullptr ? Vector<T>{} : channels.read(bias + channel);
    for_blocks(gather.columns, depthwise_sums, [&](std::int64_t begin, std::int64_t count) {
      with_constant<depthwise_sums>(count, [&](auto points) {
        correlate_points<decltype(points)::value>(channels, from + begin * stride + channel, stride, taps,
                                                  weight.tap(0) + channel, gather.c, start,
                                                  to + begin * to_stride + channel, to_stride);
      });
    });
  });
}

/// Adds, for `taps` taps, the products of gradients and pixels at `points` points.
template <int taps, class T, bool whole>
__attribute__((no_sanitize("undefined"))) void add_tap_products(const Channels<T, whole>& channels, const T* grad,
                                                                std::int64_t grad_stride, const T* from,
                                                                std::int64_t stride, const Run* runs,
                                                                std::int64_t points, Vector<T> (&sum)[taps]) {
  const T* pixels[taps];
  DEFT_UNROLL
  for (int tap = 0; tap < taps; ++tap) pixels[tap] = from + runs[tap].displacement;
  for (std::int64_t p = 0, at = 0; p < points; ++p, grad += grad_stride, at += stride) {
    const Vector<T> gradient = channels.read(grad);
    DEFT_UNROLL
    for (int tap = 0; tap < taps; ++tap) sum[tap] += gradient * channels.read(pixels[tap] + at);
  }
}

/// The gradients of weight [c, 1 · taps] and bias, of a depthwise convolution.
template <class T>
class DepthwiseWeightGradient {
 public:
  DepthwiseWeightGradient(const Gather& gather, const T* input, const T* grad_output)
      : gather_(gather),
        input_(input),
        grad_output_(grad_output),
        pieces_(gather.n, gather.rows, gather.columns, depthwise_points(gather.c)),
        band_(gather, pieces_.images_step(), pieces_.rows_step(), false),
        taps_(gather, band_) {}

  /// Each piece's sums [taps + 1, c], the last row the bias's, are added in the order of pieces, after as many as a
  /// bounded memory holds.
  void run(T* grad_weight, T* grad_bias) const {
    constexpr std::int64_t elements = 1024 * 1024, least = 32;
    const std::int64_t c = gather_.c, taps = taps_.count(), size = (taps + 1) * c;
    const std::int64_t most = elements / size < least ? least : elements / size;
    Scratch<T> totals(size), sums((most < pieces_.count() ? most : pieces_.count()) * size);
    clear(totals.data(), size);
    for (std::int64_t first = 0; first < pieces_.count(); first += most) {
      const std::int64_t count = most < pieces_.count() - first ? most : pieces_.count() - first;
      parallel_for(count, [&](std::int64_t i) { sum_piece(pieces_[first + i], sums.data() + i * size); });
      add_pieces(count, size, sums.data(), totals.data());
    }
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      for (std::int64_t channel = 0; channel < c; ++channel) {
        grad_weight[channel * taps + tap] = totals[tap * c + channel];
      }
    }
    if (grad_bias != nullptr) copy_elements(grad_bias, totals.data() + taps * c, c);
  }

 private:
  /// totals [size] += the sums [count, size] of pieces.
  static void add_pieces(std::int64_t count, std::int64_t size, const T* sums, T* totals) {
    parallel_blocks(size, rows_per_block(count), [&](std::int64_t begin, std::int64_t end) {
      for_channels<T>(end - begin, [&](auto channels, std::int64_t at) {
        Vector<T> total = channels.read(totals + begin + at);
        for (std::int64_t i = 0; i < count; ++i) total += channels.read(sums + i * size + begin + at);
        channels.write(totals + begin + at, total);
      });
    });
  }

  void sum_piece(const Piece& piece, T* to) const {
    Scratch<T> copy(band_.size());
    Scratch<std::int64_t> origins(pieces_.largest(gather_.columns));
    const T* const pixels = band_.open(piece, input_, copy.data(), origins.data());
    const T* const grad = grad_output_ + (piece.image * gather_.rows + piece.row) * gather_.columns * gather_.c;
    const std::int64_t rows = piece.images * piece.rows;
    for_channels<T>(gather_.c, [&](auto channels, std::int64_t channel) {
      for_blocks(taps_.count(), depthwise_sums + 1, [&](std::int64_t begin, std::int64_t count) {
        with_constant<depthwise_sums + 1>(count, [&](auto constant) {
          constexpr int n = decltype(constant)::value;
          Vector<T> sum[n] = {};
          for (std::int64_t row = 0; row < rows; ++row) {
            add_tap_products<n>(channels, grad + row * gather_.columns * gather_.c + channel, gather_.c,
                                pixels + origins[row * gather_.columns] + channel, gather_.step_w * gather_.c,
                                taps_.data() + begin, gather_.columns, sum);
          }
          for (int tap = 0; tap < n; ++tap) channels.write(to + (begin + tap) * gather_.c + channel, sum[tap]);
        });
      });
      Vector<T> sum = {};
      for (std::int64_t point = 0; point < rows * gather_.columns; ++point) {
        sum += channels.read(grad + point * gather_.c + channel);
      }
      channels.write(to + taps_.count() * gather_.c + channel, sum);
    });
  }

  const Gather& gather_;
  const T *input_, *grad_output_;
  Pieces pieces_;
  Band<T> band_;
  Runs<T> taps_;
};

}  // namespace deft::kernels::DEFT_SIMD
