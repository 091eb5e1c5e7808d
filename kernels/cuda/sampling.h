// Where the taps of a deformable convolution read, as kernels/deform_conv2d.h defines it. Plain functions, so that
// tests call them on the CPU.
#pragma once

#include <cmath>
#include <cstdint>

#include "deft/kernels/deform_conv2d.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels {

/// A position in an image, in pixels.
template <class T>
struct Position {
  T y, x;
};

/// Where tap (tap_row, tap_column) of the output pixel (row, column) reads, moved by its offset (dy, dx).
template <class T>
DEFT_HOST_DEVICE inline Position<T> tap_position(const Conv2dShape& s, std::int64_t row, std::int64_t column,
                                                 std::int64_t tap_row, std::int64_t tap_column, T dy, T dx) {
  const std::int64_t y = row * s.stride_h - s.pad_top + tap_row * s.dilation_h;
  const std::int64_t x = column * s.stride_w - s.pad_left + tap_column * s.dilation_w;
  return {static_cast<T>(y) + dy, static_cast<T>(x) + dx};
}

/// The four pixels between which a sample lies: corner 0 at (low y, low x), 1 a column on, 2 a row on, 3 both.
template <class T>
struct Cell {
  std::int64_t
      pixel;  ///< low y · w + low x, where in its image corner 0 is; negative where the cell reaches over the border
  T y, x;     ///< position within the cell, in [0, 1); NaN where the sample's is
  unsigned inside;  ///< bit i is set where corner i lies in the image; the others must not be read and count as zeros

  DEFT_HOST_DEVICE bool reads(int corner) const { return (inside >> corner & 1) != 0; }
  DEFT_HOST_DEVICE std::int64_t corner_pixel(int corner, std::int64_t w) const {
    return pixel + (corner & 1) + (corner >> 1) * w;
  }
};

/// What a cell is found for.
enum class CellUse {
  sample,     ///< positions at −1 do not count
  derivative  ///< they do, as in torchvision: the sample is 0 there, but its derivative that of the cell above the image
};

/// The cell of a position in an image of h × w pixels. Positions that do not count read no corner and lie at 0 of their
/// cell; positions with a NaN, unless the other coordinate is outside, read none either and make the weights NaN.
template <CellUse use = CellUse::sample, class T>
DEFT_HOST_DEVICE inline Cell<T> find_cell(std::int64_t h, std::int64_t w, Position<T> at) {
  const bool before = use == CellUse::sample ? at.y <= -1 || at.x <= -1 : at.y < -1 || at.x < -1;
  if (before || at.y >= static_cast<T>(h) || at.x >= static_cast<T>(w)) return {0, T(0), T(0), 0};
  // The first test keeps NaNs from being converted.
  if (!(at.y >= -1 && at.x >= -1)) return {0, at.y - std::floor(at.y), at.x - std::floor(at.x), 0};
  const T low_y = std::floor(at.y), low_x = std::floor(at.x);
  const auto row = static_cast<std::int64_t>(low_y), column = static_cast<std::int64_t>(low_x);
  // No T lies between h and its T, so row < h even where T cannot hold h.
  const unsigned rows = (row >= 0 ? 0x3u : 0u) | (row + 1 < h ? 0xcu : 0u);
  const unsigned columns = (column >= 0 ? 0x5u : 0u) | (column + 1 < w ? 0xau : 0u);
  return {row * w + column, at.y - low_y, at.x - low_x, rows & columns};
}

/// A number for each corner of a cell.
template <class T>
struct Corners {
  T at[4];
};

/// Bilinear weights, times `factor` (the mask's).
template <class T>
DEFT_HOST_DEVICE inline Corners<T> corner_weights(const Cell<T>& cell, T factor) {
  const T low = (1 - cell.y) * factor, high = cell.y * factor;
  return {{low * (1 - cell.x), low * cell.x, high * (1 - cell.x), high * cell.x}};
}

/// The value between the corners' values.
template <class T>
DEFT_HOST_DEVICE inline T interpolate(const Cell<T>& cell, const Corners<T>& values) {
  const T low = (1 - cell.x) * values.at[0] + cell.x * values.at[1];
  const T high = (1 - cell.x) * values.at[2] + cell.x * values.at[3];
  return (1 - cell.y) * low + cell.y * high;
}

/// Derivatives of interpolate() by the position; at whole positions the one-sided ones towards larger y and x.
template <class T>
DEFT_HOST_DEVICE inline Position<T> derivative(const Cell<T>& cell, const Corners<T>& values) {
  const T* const v = values.at;
  return {(1 - cell.x) * (v[2] - v[0]) + cell.x * (v[3] - v[1]), (1 - cell.y) * (v[1] - v[0]) + cell.y * (v[3] - v[2])};
}

}  // namespace deft::kernels
