// What both directions of deform_conv2d do with panels on a GPU.
#pragma once

#include "deft/kernels/cuda/panel_loop.h"
#include "deft/kernels/cuda/sampling.h"

namespace deft::kernels {

/// What moves and weighs the taps of a deformable convolution.
template <class T>
struct TapOffsets {
  const T* offset;
  const T* mask;  ///< may be null

  /// The cell in which an entry of the output pixel `at` reads.
  template <CellUse use>
  __device__ Cell<T> cell(const ConvGeometry& g, const OutputPixel& at, const PanelEntry& entry) const {
    const std::int64_t tap_row = quotient(entry.tap, g.shape.kernel_w);
    return find_cell<use>(g.shape.h, g.shape.w,
                          tap_position(g.shape, at.row, at.column, tap_row, entry.tap - tap_row * g.shape.kernel_w,
                                       offset[2 * entry.index], offset[2 * entry.index + 1]));
  }

  __device__ T factor(const PanelEntry& entry) const { return mask == nullptr ? T(1) : mask[entry.index]; }
};

/// Writes the gradients of an entry's offset and mask, either of which may be null, from the inner products of its
/// sample's gradient with the pixels at the corners of its cell.
template <class T>
__device__ void write_position_gradients(const TapOffsets<T>& offsets, const PanelEntry& entry, const Cell<T>& cell,
                                         const Corners<T>& products, T* grad_offset, T* grad_mask) {
  if (grad_mask != nullptr) grad_mask[entry.index] = interpolate(cell, products);
  if (grad_offset == nullptr) return;
  const Position<T> slope = derivative(cell, products);
  const T factor = offsets.factor(entry);
  grad_offset[2 * entry.index] = factor * slope.y;
  grad_offset[2 * entry.index + 1] = factor * slope.x;
}

/// The pixels at the corners of a cell.
struct CellPixels {
  std::int64_t first;  ///< channel 0's element of the input at corner 0
  unsigned inside;     ///< bit i is set where corner i may be read

  __device__ bool reads(int corner) const { return (inside >> corner & 1) != 0; }
  /// The element of the input where `channel` is at a corner.
  __device__ std::int64_t element(const Conv2dShape& s, int corner, std::int64_t channel) const {
    return first + ((corner & 1) + (corner >> 1) * s.w) * s.c + channel;
  }
};

template <class T>
__device__ CellPixels cell_pixels(const Conv2dShape& s, std::int64_t image, const Cell<T>& cell) {
  return {input_element(s, image, 0, 0, 0) + cell.pixel * s.c, cell.inside};
}

/// What fill_panel reads for a deformable convolution: bilinear samples, times the mask.
template <class T>
struct DeformedTaps {
  struct Found {
    CellPixels pixels;
    Corners<T> weights;
  };

  const T* input;
  TapOffsets<T> offsets;

  __device__ Found find(const ConvGeometry& g, const OutputPixel& at, const PanelEntry& entry) const {
    const Cell<T> cell = offsets.template cell<CellUse::sample>(g, at, entry);
    return {cell_pixels(g.shape, at.image, cell), corner_weights(cell, offsets.factor(entry))};
  }

  template <int width>
  __device__ Pack<T, width> load(const ConvGeometry& g, const Found& found, std::int64_t channel) const {
    Pack<T, width> sum{};
    for (int corner = 0; corner < 4; ++corner) {
      // Corners outside count as zeros rather than not at all: the weights at a NaN position are NaN.
      Pack<T, width> value{};
      if (found.pixels.reads(corner)) value = load_pack<width>(input + found.pixels.element(g.shape, corner, channel));
      for (int j = 0; j < width; ++j) sum[j] += found.weights.at[corner] * value[j];
    }
    return sum;
  }
};

}  // namespace deft::kernels
