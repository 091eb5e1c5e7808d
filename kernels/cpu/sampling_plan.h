// Where the taps of a deformable convolution read: computed once for a block of output pixels, used by the sampling and
// by the gradients.
#pragma once

#include <cstdint>
#include <cstring>

#include "deft/kernels/allocator.h"
#include "deft/kernels/cpu/simd.h"
#include "deft/kernels/deform_conv2d.h"

namespace deft::kernels::DEFT_SIMD {

/// Layout of an image [h, w, c] with zeros around it: one row above, one column on each side, one row below for the
/// cells that reach over the border, and one more so that a cell of zeros exists for taps that do not count.
struct PaddedImage {
  std::int64_t h, w, c;

  std::int64_t height() const { return h + 3; }
  std::int64_t row_size() const { return (w + 2) * c; }
  /// Elements of one image, without what reading whole vectors needs after the last one.
  std::int64_t size() const { return height() * row_size(); }
  std::int64_t zero_cell() const { return (h + 1) * row_size(); }

  /// Writes padded row `row` from the image at `from`.
  template <class T>
  void fill_row(std::int64_t row, const T* from, T* to) const {
    to += row * row_size();
    if (row < 1 || row > h) {
      std::memset(to, 0, static_cast<std::size_t>(row_size()) * sizeof(T));
      return;
    }
    const auto border = static_cast<std::size_t>(c) * sizeof(T);
    const auto inner = static_cast<std::size_t>(w * c) * sizeof(T);
    std::memset(to, 0, border);
    if (inner > 0) std::memcpy(to + c, from + (row - 1) * w * c, inner);
    std::memset(to + (w + 1) * c, 0, border);
  }

  template <class T>
  void fill(const T* from, T* to) const {
    for (std::int64_t row = 0; row < height(); ++row) fill_row(row, from, to);
  }
};

/// Whether a plan serves derivatives too.
enum class Derivative { no, yes };

/// The entries of a block of output pixels, e = (point · offset_groups + offset group) · taps + tap.
template <class T>
class SamplingPlan {
 public:
  SamplingPlan(const DeformConv2dShape& shape, std::int64_t points)
      : shape_(shape),
        padded_{shape.h, shape.w, shape.c},
        per_point_(shape.offset_groups * shape.taps()),
        tap_y_(per_point_ + lanes<T>),
        tap_x_(per_point_ + lanes<T>),
        cell_(points * per_point_),
        y_(points * per_point_ + lanes<T>),
        x_(points * per_point_ + lanes<T>) {
    for (std::int64_t e = 0; e < per_point_ + lanes<T>; ++e) {
      const std::int64_t tap = e % shape.taps();
      tap_y_[e] = static_cast<T>(tap / shape.kernel_w * shape.dilation_h);
      tap_x_[e] = static_cast<T>(tap % shape.kernel_w * shape.dilation_w);
    }
  }

  /// Entries per point.
  std::int64_t per_point() const { return per_point_; }

  /// Plans the output pixels [begin, begin + count) of an image, whose offsets are `offset` (all of the block's). A
  /// sample counts where −1 < y < h. With derivatives y = −1 is taken too: the value is zero there, but the derivative
  /// is that of the cell of floor(y), as in torchvision.
  void make(std::int64_t begin, std::int64_t count, const T* offset, Derivative derivative) {
    place_taps(begin, count);
    const std::int64_t h = shape_.h, w = shape_.w, row = padded_.row_size(), c = shape_.c, zero = padded_.zero_cell();
    T* const ys = y_.data();
    T* const xs = x_.data();
    std::int64_t* const cells = cell_.data();
    const T height = static_cast<T>(h), width = static_cast<T>(w);
    const bool closed = derivative == Derivative::yes;
    const std::int64_t entries = count * per_point_;
#pragma omp simd
    for (std::int64_t e = 0; e < entries; ++e) {
      const T y = ys[e] + offset[2 * e];
      const T x = xs[e] + offset[2 * e + 1];
      const bool before = closed ? (y < T(-1)) | (x < T(-1)) : (y <= T(-1)) | (x <= T(-1));
      const bool outside = before | (y >= height) | (x >= width);
      const bool number = (y == y) & (x == x);
      const bool inside = !outside & number;
      const T safe_y = inside ? y : T(0), safe_x = inside ? x : T(0);
      std::int32_t low_y = static_cast<std::int32_t>(safe_y), low_x = static_cast<std::int32_t>(safe_x);
      low_y -= static_cast<T>(low_y) > safe_y;
      low_x -= static_cast<T>(low_x) > safe_x;
      // A NaN stays one here, and makes the sample NaN without reading the image.
      ys[e] = outside ? T(0) : y - static_cast<T>(low_y);
      xs[e] = outside ? T(0) : x - static_cast<T>(low_x);
      cells[e] = inside ? (low_y + std::int64_t(1)) * row + (low_x + std::int64_t(1)) * c : zero;
    }
  }

  /// Element of the padded image at which the cell of entry `e` begins; its other corners are a pixel and a row on.
  std::int64_t cell(std::int64_t e) const { return cell_[e]; }
  /// Position within the cell, in [0, 1].
  T y(std::int64_t e) const { return y_[e]; }
  T x(std::int64_t e) const { return x_[e]; }

 private:
  /// Writes the positions of the undeformed taps.
  void place_taps(std::int64_t begin, std::int64_t count) {
    const std::int64_t columns = shape_.w_out();
    for (std::int64_t point = 0; point < count; ++point) {
      const std::int64_t row = (begin + point) / columns, column = (begin + point) % columns;
      const Vector<T> y = broadcast(static_cast<T>(row * shape_.stride_h - shape_.pad_top));
      const Vector<T> x = broadcast(static_cast<T>(column * shape_.stride_w - shape_.pad_left));
      for (std::int64_t e = 0; e < per_point_; e += lanes<T>) {
        store(y_.data() + point * per_point_ + e, y + load(tap_y_.data() + e));
        store(x_.data() + point * per_point_ + e, x + load(tap_x_.data() + e));
      }
    }
  }

  const DeformConv2dShape& shape_;
  PaddedImage padded_;
  std::int64_t per_point_;
  Scratch<T> tap_y_, tap_x_;
  Scratch<std::int64_t> cell_;
  Scratch<T> y_, x_;
};

}  // namespace deft::kernels::DEFT_SIMD
