#include "deft/kernels/conv2d.h"

#include "deft/kernels/cpu/band.h"
#include "deft/kernels/cpu/conv2d_weight_gradient.h"
#include "deft/kernels/cpu/conv_weight.h"
#include "deft/kernels/cpu/depthwise_conv2d.h"
#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/cpu/panel.h"
#include "deft/kernels/cpu/winograd.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/cpu/kernel.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

/// What the taps of each output pixel read.
Gather forward_gather(const Conv2dShape& s) {
  return {s.n,
          s.h,
          s.w,
          s.c,
          s.groups,
          s.h_out(),
          s.w_out(),
          s.stride_h,
          s.stride_w,
          {-s.pad_top, s.dilation_h, s.kernel_h},
          {-s.pad_left, s.dilation_w, s.kernel_w}};
}

/// Where results go: lattice point (i, j) to pixel (first_h + i · step_h, first_w + j · step_w) of images [n, h, w, c].
template <class T>
struct Destination {
  T* data;
  std::int64_t h, w, c;
  std::int64_t first_h, first_w, step_h, step_w;

  T* row(std::int64_t image, std::int64_t i) const {
    return data + ((image * h + first_h + i * step_h) * w + first_w) * c;
  }
};

/// Calls body(begin, count, to) for the points of a piece that lie at equal distances in the destination: all, or a
/// row.
template <class T, class Body>
void for_even_points(const Piece& piece, std::int64_t columns, const Destination<T>& destination, Body&& body) {
  if (destination.step_h == 1 && destination.step_w == 1) {
    body(0, piece.images * piece.rows * columns, destination.row(piece.image, piece.row));
    return;
  }
  for (std::int64_t i = 0; i < piece.images * piece.rows; ++i) {
    body(i * columns, columns, destination.row(piece.image + i / piece.rows, piece.row + i % piece.rows));
  }
}

/// Calls body(piece, pixels, origins, runs) for pieces of about `points` points: what they read.
template <class T, class Body>
void for_pieces(const Gather& gather, const T* source, std::int64_t points, Body&& body) {
  const Pieces pieces(gather.n, gather.rows, gather.columns, points);
  const Band<T> band(gather, pieces.images_step(), pieces.rows_step(), false);
  const Runs<T> runs(gather, band);
  parallel_for(pieces.count(), [&](std::int64_t i) {
    Scratch<T> copy(band.size());
    Scratch<std::int64_t> origins(pieces.largest(gather.columns));
    const T* const pixels = band.open(pieces[i], source, copy.data(), origins.data());
    body(pieces[i], pixels, origins.data(), runs);
  });
}

/// destination = gathered rows · weight + bias.
template <class T>
void correlate(const Gather& gather, const T* source, const PackedWeight<T>& weight,
               const Destination<T>& destination) {
  const std::int64_t outputs = destination.c / gather.groups;
  for_pieces(
      gather, source, piece_points(gather.depth(), gather.c, destination.c),
      [&](const Piece& piece, const T* pixels, const std::int64_t* origins, const Runs<T>& runs) {
        for_even_points(piece, gather.columns, destination, [&](std::int64_t begin, std::int64_t count, T* to) {
          for (std::int64_t group = 0; group < gather.groups; ++group) {
            const GatheredRows<T> rows{pixels + group * gather.inputs(), origins + begin, runs.data(), runs.count()};
            gemm_gathered(count, outputs, rows, weight.matrix(group), weight.bias(group), 0, to + group * outputs,
                          destination.step_w * destination.c);
          }
        });
      });
}

/// The same for a depthwise convolution; `bias` may be null.
template <class T>
void correlate(const Gather& gather, const T* source, const DepthwiseWeight<T>& weight, const T* bias,
               const Destination<T>& destination) {
  for_pieces(gather, source, depthwise_points(gather.c),
             [&](const Piece& piece, const T* pixels, const std::int64_t* origins, const Runs<T>& runs) {
               for (std::int64_t i = 0; i < piece.images * piece.rows; ++i) {
                 correlate_depthwise_row(gather, runs, weight, bias, pixels + origins[i * gather.columns],
                                         destination.row(piece.image + i / piece.rows, piece.row + i % piece.rows),
                                         destination.step_w * destination.c);
               }
             });
}

template <class T>
void forward(const Conv2dShape& s, const T* input, const T* weight, const T* bias, T* output) {
  const Gather gather = forward_gather(s);
  const Destination<T> destination{output, s.h_out(), s.w_out(), s.o, 0, 0, 1, 1};
  if (is_depthwise(s)) {
    const DepthwiseWeight<T> arranged(s, s.taps(), weight, [](std::int64_t tap) { return tap; });
    correlate(gather, input, arranged, bias, destination);
    return;
  }
  PackedWeight<T> packed_weight(s.groups, gather.depth(), s.o / s.groups);
  packed_weight.pack_forward(weight, bias);
  correlate(gather, input, packed_weight, destination);
}

/// Along one axis, the taps that reach the input pixels phase, phase + stride, …: as displacements in the output, and
/// the indices of theirs in the kernel, from `last` downwards.
struct PhaseAxis {
  PhaseAxis(std::int64_t phase, std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation) {
    for (std::int64_t i = kernel - 1; i >= 0; --i) {
      const std::int64_t distance = phase + padding - i * dilation;
      if (distance % stride != 0) continue;
      if (taps.count == 0) {
        taps.first = distance / stride;
        last = i;
      } else if (taps.count == 1) {
        taps.step = distance / stride - taps.first;
        step = last - i;
      }
      ++taps.count;
    }
  }

  std::int64_t index(std::int64_t tap) const { return last - tap * step; }

  TapAxis taps{0, 1, 0};
  std::int64_t last = 0, step = 0;
};

/// The input pixels of one phase, those at (phase_h + i · stride_h, phase_w + j · stride_w), are reached by the same
/// taps: their gradient is a correlation of grad_output with these.
template <class T>
void backward_input_phase(const Conv2dShape& s, std::int64_t phase_h, std::int64_t phase_w, const T* grad_output,
                          const T* weight, T* grad_input) {
  const PhaseAxis y(phase_h, s.kernel_h, s.stride_h, s.pad_top, s.dilation_h);
  const PhaseAxis x(phase_w, s.kernel_w, s.stride_w, s.pad_left, s.dilation_w);
  if (y.taps.count == 0 || x.taps.count == 0) return;
  const Gather gather{s.n,
                      s.h_out(),
                      s.w_out(),
                      s.o,
                      s.groups,
                      (s.h - phase_h + s.stride_h - 1) / s.stride_h,
                      (s.w - phase_w + s.stride_w - 1) / s.stride_w,
                      1,
                      1,
                      y.taps,
                      x.taps};
  const Destination<T> destination{grad_input, s.h, s.w, s.c, phase_h, phase_w, s.stride_h, s.stride_w};
  const auto index = [&](std::int64_t tap) {
    return y.index(tap / x.taps.count) * s.kernel_w + x.index(tap % x.taps.count);
  };
  const std::int64_t taps = y.taps.count * x.taps.count, inputs = s.c / s.groups, outputs = s.o / s.groups;
  if (is_depthwise(s)) {
    correlate<T>(gather, grad_output, DepthwiseWeight<T>(s, taps, weight, index), nullptr, destination);
    return;
  }
  PackedWeight<T> packed_weight(s.groups, gather.depth(), inputs);
  for (std::int64_t group = 0; group < s.groups; ++group) {
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      packed_weight.pack_rows(group, tap * outputs, outputs,
                              weight + (group * outputs * s.taps() + index(tap)) * inputs, s.taps() * inputs, 1);
    }
  }
  correlate(gather, grad_output, packed_weight, destination);
}

template <class T>
void backward_input(const Conv2dShape& s, const T* grad_output, const T* weight, T* grad_input) {
  // Pixels between the taps of a small kernel with a large stride are reached by none. All are cleared, for then the
  // others lie in the cache when phases write one here and one there.
  if (s.stride_h > 1 || s.stride_w > 1) {
    const std::int64_t row = s.w * s.c;
    parallel_blocks(s.n * s.h, rows_per_block(row), [&](std::int64_t begin, std::int64_t end) {
      clear(grad_input + begin * row, (end - begin) * row);
    });
  }
  for (std::int64_t i = 0; i < s.stride_h && i < s.h; ++i) {
    for (std::int64_t j = 0; j < s.stride_w && j < s.w; ++j) {
      backward_input_phase(s, i, j, grad_output, weight, grad_input);
    }
  }
}

template <class T>
void backward_weight(const Conv2dShape& s, const T* input, const T* grad_output, T* grad_weight, T* grad_bias) {
  const Gather gather = forward_gather(s);
  if (is_depthwise(s)) {
    DepthwiseWeightGradient<T>(gather, input, grad_output).run(grad_weight, grad_bias);
  } else {
    Conv2dWeightGradient<T>(s, gather, input, grad_output).run(grad_weight, grad_bias);
  }
}

}  // namespace
}  // namespace DEFT_SIMD

using namespace DEFT_SIMD;

template <class T>
void conv2d_forward(Set, const Conv2dShape& shape, const T* input, const T* weight, const T* bias, T* output) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (winograd_chosen(shape, Conv2dPass::forward)) {
      winograd_forward(shape, input, weight, bias, output);
      return;
    }
  }
  forward(shape, input, weight, bias, output);
}

template <class T>
void conv2d_backward_input(Set, const Conv2dShape& shape, const T* grad_output, const T* weight, T* grad_input) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (winograd_chosen(shape, Conv2dPass::backward_input)) {
      winograd_backward_input(shape, grad_output, weight, grad_input);
      return;
    }
  }
  backward_input(shape, grad_output, weight, grad_input);
}

template <class T>
void conv2d_backward_weight(Set, const Conv2dShape& shape, const T* input, const T* grad_output, T* grad_weight,
                            T* grad_bias) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (winograd_chosen(shape, Conv2dPass::backward_weight)) {
      winograd_backward_weight(shape, input, grad_output, grad_weight, grad_bias);
      return;
    }
  }
  backward_weight(shape, input, grad_output, grad_weight, grad_bias);
}

#define DEFT_INSTANTIATE(T)                                                                \
  template void conv2d_forward(Set, const Conv2dShape&, const T*, const T*, const T*, T*); \
  template void conv2d_backward_input(Set, const Conv2dShape&, const T*, const T*, T*);    \
  template void conv2d_backward_weight(Set, const Conv2dShape&, const T*, const T*, T*, T*);
DEFT_INSTANTIATE(float)
DEFT_INSTANTIATE(double)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
