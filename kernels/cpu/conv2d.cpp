#include "deft/kernels/conv2d.h"

#include <cstring>
#include <vector>

#include "deft/kernels/allocator.h"
#include "deft/kernels/cpu/conv_weight.h"
#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/cpu/panel.h"
#include "deft/kernels/cpu/winograd.h"
#include "deft/kernels/parallel_for.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

/// What the taps of each output pixel read.
Gather forward_gather(const Conv2dShape& s) {
  Gather gather{s.n, s.h, s.w, s.c, s.groups, s.h_out(), s.w_out(), s.stride_h, s.stride_w, {}};
  for (std::int64_t i = 0; i < s.kernel_h; ++i) {
    for (std::int64_t j = 0; j < s.kernel_w; ++j) {
      gather.taps.push_back({i * s.dilation_h - s.pad_top, j * s.dilation_w - s.pad_left});
    }
  }
  return gather;
}

/// Where results go: lattice point (i, j) to pixel (first_h + i · step_h, first_w + j · step_w) of images [n, h, w, c].
template <class T>
struct Destination {
  T* data;
  std::int64_t h, w, c;
  std::int64_t first_h, first_w, step_h, step_w;

  T* pixel(std::int64_t image, std::int64_t i, std::int64_t j) const {
    return data + ((image * h + first_h + i * step_h) * w + first_w + j * step_w) * c;
  }
};

template <class T>
void write_strided(const Gather& gather, const Piece& piece, std::int64_t begin, std::int64_t count, const T* from,
                   const Destination<T>& destination) {
  for (std::int64_t p = 0; p < count; ++p) {
    const std::int64_t row = (begin + p) / gather.columns;
    T* const to =
        destination.pixel(piece.image + row / piece.rows, piece.row + row % piece.rows, (begin + p) % gather.columns);
    std::memcpy(to, from + p * destination.c, static_cast<std::size_t>(destination.c) * sizeof(T));
  }
}

/// destination = gathered panel · weight + bias.
template <class T>
void correlate(const Gather& gather, const T* source, const PackedWeight<T>& weight,
               const Destination<T>& destination) {
  const std::int64_t depth = gather.depth(), outputs = destination.c / gather.groups;
  const std::int64_t stride = panel_stride<T>(depth), most = panel_points<T>(depth);
  const Pieces pieces(gather.n, gather.rows, gather.columns, piece_points(depth, gather.c, destination.c));
  const Band<T> band(gather, pieces.images_step(), pieces.rows_step());
  const std::vector<Run> runs = panel_runs(gather, band);
  const bool dense = destination.step_h == 1 && destination.step_w == 1;
  parallel_for(pieces.count(), [&](std::int64_t i) {
    const Piece piece = pieces[i];
    Scratch<T> pixels(band.size()), panel(panel_size<T>(most, depth)), results(dense ? 0 : most * destination.c);
    Scratch<std::int64_t> origins(pieces.largest(gather.columns));
    band.fill(piece, source, pixels.data(), origins.data());
    for_blocks(piece.images * piece.rows * gather.columns, most, [&](std::int64_t begin, std::int64_t count) {
      T* const out = dense ? destination.pixel(piece.image, piece.row, 0) + begin * destination.c : results.data();
      for (std::int64_t group = 0; group < gather.groups; ++group) {
        fill_panel(runs, pixels.data() + group * (gather.c / gather.groups), origins.data() + begin, count, stride,
                   panel.data());
        gemm<T, Layout::rows>(count, outputs, depth, panel.data(), stride, weight.matrix(group), weight.bias(group), 0,
                              out + group * outputs, destination.c);
      }
      if (!dense) write_strided(gather, piece, begin, count, out, destination);
    });
  });
}

template <class T>
void forward(const Conv2dShape& s, const T* input, const T* weight, const T* bias, T* output) {
  const Gather gather = forward_gather(s);
  PackedWeight<T> packed_weight(s.groups, gather.depth(), s.o / s.groups);
  packed_weight.pack_forward(weight, bias);
  correlate(gather, input, packed_weight, Destination<T>{output, s.h_out(), s.w_out(), s.o, 0, 0, 1, 1});
}

/// The input pixels of one phase, those at (phase_h + i · stride_h, phase_w + j · stride_w), are reached by the same
/// taps: their gradient is a correlation of grad_output with these.
template <class T>
void backward_input_phase(const Conv2dShape& s, std::int64_t phase_h, std::int64_t phase_w, const T* grad_output,
                          const T* weight, T* grad_input) {
  Gather gather{s.n,
                s.h_out(),
                s.w_out(),
                s.o,
                s.groups,
                (s.h - phase_h + s.stride_h - 1) / s.stride_h,
                (s.w - phase_w + s.stride_w - 1) / s.stride_w,
                1,
                1,
                {}};
  std::vector<std::int64_t> taps;
  for (std::int64_t i = 0; i < s.kernel_h; ++i) {
    for (std::int64_t j = 0; j < s.kernel_w; ++j) {
      const std::int64_t y = phase_h + s.pad_top - i * s.dilation_h, x = phase_w + s.pad_left - j * s.dilation_w;
      if (y % s.stride_h != 0 || x % s.stride_w != 0) continue;
      gather.taps.push_back({y / s.stride_h, x / s.stride_w});
      taps.push_back(i * s.kernel_w + j);
    }
  }
  if (taps.empty()) return;
  const std::int64_t inputs = s.c / s.groups, outputs = s.o / s.groups, depth = gather.depth();
  PackedWeight<T> packed_weight(s.groups, depth, inputs);
  for (std::int64_t group = 0; group < s.groups; ++group) {
    for (std::size_t t = 0; t < taps.size(); ++t) {
      packed_weight.pack_rows(group, static_cast<std::int64_t>(t) * outputs, outputs,
                              weight + (group * outputs * s.taps() + taps[t]) * inputs, s.taps() * inputs, 1);
    }
  }
  correlate(gather, grad_output, packed_weight,
            Destination<T>{grad_input, s.h, s.w, s.c, phase_h, phase_w, s.stride_h, s.stride_w});
}

template <class T>
void backward_input(const Conv2dShape& s, const T* grad_output, const T* weight, T* grad_input) {
  // Pixels between the taps of a small kernel with a large stride are reached by none.
  if (s.stride_h > 1 || s.stride_w > 1) clear(grad_input, s.n * s.h * s.w * s.c);
  for (std::int64_t i = 0; i < s.stride_h && i < s.h; ++i) {
    for (std::int64_t j = 0; j < s.stride_w && j < s.w; ++j) {
      backward_input_phase(s, i, j, grad_output, weight, grad_input);
    }
  }
}

template <class T>
void backward_weight(const Conv2dShape& s, const T* input, const T* grad_output, T* grad_weight, T* grad_bias) {
  const Gather gather = forward_gather(s);
  const std::int64_t depth = gather.depth(), outputs = s.o / s.groups;
  const std::int64_t stride = panel_stride<T>(depth), most = panel_points<T>(depth);
  const Pieces pieces(s.n, gather.rows, gather.columns, piece_points(depth, s.c, s.o));
  const Band<T> band(gather, pieces.images_step(), pieces.rows_step());
  const std::vector<Run> runs = panel_runs(gather, band);
  const std::int64_t pieces_per_chunk = chunk_pieces(pieces.count(), pieces.largest(gather.columns));
  WeightGradient<T> gradient((pieces.count() + pieces_per_chunk - 1) / pieces_per_chunk, s.o, depth);
  parallel_blocks(pieces.count(), pieces_per_chunk, [&](std::int64_t first, std::int64_t end) {
    Scratch<T> pixels(band.size()), panel(panel_size<T>(most, depth));
    Scratch<std::int64_t> origins(pieces.largest(gather.columns));
    const typename WeightGradient<T>::Chunk chunk = gradient.chunk(first / pieces_per_chunk);
    for (std::int64_t i = first; i < end; ++i) {
      const Piece piece = pieces[i];
      band.fill(piece, input, pixels.data(), origins.data());
      const T* const grad = grad_output + (piece.image * gather.rows + piece.row) * gather.columns * s.o;
      for_blocks(piece.images * piece.rows * gather.columns, most, [&](std::int64_t begin, std::int64_t count) {
        for (std::int64_t group = 0; group < s.groups; ++group) {
          fill_panel(runs, pixels.data() + group * (s.c / s.groups), origins.data() + begin, count, stride,
                     panel.data());
          chunk.add_weight(group * outputs, outputs, count, grad + begin * s.o, panel.data());
        }
        if (grad_bias != nullptr) chunk.add_bias(count, grad + begin * s.o);
      });
    }
  });
  gradient.write(grad_weight, grad_bias);
}

}  // namespace
}  // namespace DEFT_SIMD

template <class T>
void conv2d_forward(Cpu, const Conv2dShape& shape, const T* input, const T* weight, const T* bias, T* output) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (DEFT_SIMD::winograd_chosen(shape)) {
      DEFT_SIMD::winograd_forward(shape, input, weight, bias, output);
      return;
    }
  }
  DEFT_SIMD::forward(shape, input, weight, bias, output);
}

template <class T>
void conv2d_backward_input(Cpu, const Conv2dShape& shape, const T* grad_output, const T* weight, T* grad_input) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (DEFT_SIMD::winograd_chosen(shape)) {
      DEFT_SIMD::winograd_backward_input(shape, grad_output, weight, grad_input);
      return;
    }
  }
  DEFT_SIMD::backward_input(shape, grad_output, weight, grad_input);
}

template <class T>
void conv2d_backward_weight(Cpu, const Conv2dShape& shape, const T* input, const T* grad_output, T* grad_weight,
                            T* grad_bias) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (DEFT_SIMD::winograd_chosen(shape)) {
      DEFT_SIMD::winograd_backward_weight(shape, input, grad_output, grad_weight, grad_bias);
      return;
    }
  }
  DEFT_SIMD::backward_weight(shape, input, grad_output, grad_weight, grad_bias);
}

#define DEFT_INSTANTIATE(T)                                                                   \
  template void conv2d_forward<T>(Cpu, const Conv2dShape&, const T*, const T*, const T*, T*); \
  template void conv2d_backward_input<T>(Cpu, const Conv2dShape&, const T*, const T*, T*);    \
  template void conv2d_backward_weight<T>(Cpu, const Conv2dShape&, const T*, const T*, T*, T*);
DEFT_INSTANTIATE(float)
DEFT_INSTANTIATE(double)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
