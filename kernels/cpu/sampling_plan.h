// Where the taps of a deformable convolution read: computed once for a block of output pixels, used by the sampling and
// by the gradients.
#pragma once

#include <cstdint>

#include "deft/kernels/cpu/padded_row.h"
#include "deft/kernels/deform_conv2d.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/cpu/simd.h"

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
    const bool inside = row >= 1 && row <= h;
    copy_padded_row(inside ? from + (row - 1) * w * c : nullptr, w, c, -1, w + 2, to + row * row_size());
  }

  template <class T>
  void fill(const T* from, T* to) const {
    for (std::int64_t row = 0; row < height(); ++row) fill_row(row, from, to);
  }
};

/// Whether a plan serves derivatives too.
enum class Derivative { no, yes };

/// What the taps of a block of output pixels read: arrays over the entries e = (point · offset_groups + offset group) ·
/// taps + tap.
template <class T>
class SamplingPlan {
 public:
  SamplingPlan(const DeformConv2dShape& shape, std::int64_t points)
      : shape_(shape),
        padded_{shape.h, shape.w, shape.c},
        per_point_(shape.offset_groups * shape.taps()),
        room_(round_up_to_lanes<T>(points * per_point_) + lanes<T>),
        tap_y_(per_point_ + lanes<T>),
        tap_x_(per_point_ + lanes<T>),
        cell_(room_),
        values_(6 * room_) {
    for (std::int64_t e = 0; e < per_point_ + lanes<T>; ++e) {
      const std::int64_t tap = e % shape.taps();
      tap_y_[e] = static_cast<T>(tap / shape.kernel_w * shape.dilation_h);
      tap_x_[e] = static_cast<T>(tap % shape.kernel_w * shape.dilation_w);
    }
  }

  /// Plans the output pixels [begin, begin + count) of an image; `offset` and `mask` (or null) are the block's own. A
  /// sample counts where −1 < y < h. With derivatives y = −1 is taken too: the value is zero there, but the derivative
  /// is that of the cell of floor(y), as in torchvision.
  void make(std::int64_t begin, std::int64_t count, const T* offset, const T* mask, Derivative derivative) {
    place_taps(begin, count);
    if (derivative == Derivative::yes) {
      find_cells<true>(count * per_point_, offset, mask);
    } else {
      find_cells<false>(count * per_point_, offset, mask);
    }
  }

  /// Elements of the padded image at which the entries' cells begin; the other corners are a pixel and a row on.
  const std::int64_t* cell() const { return cell_.data(); }
  /// Positions within the cells, in [0, 1].
  const T* y() const { return array(0); }
  const T* x() const { return array(1); }
  /// Bilinear weights of corner 0 (low y, low x), 1 (low y, high x), 2 or 3 (high y, high x), times the mask.
  const T* weight(int corner) const { return array(2 + corner); }

 private:
  T* array(int i) { return values_.data() + i * room_; }
  const T* array(int i) const { return values_.data() + i * room_; }

  /// Writes the positions of the undeformed taps.
  void place_taps(std::int64_t begin, std::int64_t count) {
    const std::int64_t columns = shape_.w_out();
    T *ys = array(0), *xs = array(1);
    std::int64_t row = begin / columns, column = begin % columns;
    for (std::int64_t point = 0; point < count; ++point) {
      const Vector<T> y = broadcast(static_cast<T>(row * shape_.stride_h - shape_.pad_top));
      const Vector<T> x = broadcast(static_cast<T>(column * shape_.stride_w - shape_.pad_left));
      for (std::int64_t e = 0; e < per_point_; e += lanes<T>) {
        store(ys + e, y + load(tap_y_.data() + e));
        store(xs + e, x + load(tap_x_.data() + e));
      }
      ys += per_point_;
      xs += per_point_;
      if (++column == columns) {
        column = 0;
        ++row;
      }
    }
  }

  /// Adds the offsets, and divides positions into cell and rest.
  template <bool closed>
  void find_cells(std::int64_t entries, const T* offset, const T* mask) {
    std::int64_t e = 0;
    for (; e + lanes<T> <= entries; e += lanes<T>) {
      // Offsets and masks come from main memory: what the next block reads is on its way while this one is computed.
      __builtin_prefetch(offset + 2 * (e + entries));
      __builtin_prefetch(offset + 2 * (e + entries) + lanes<T>);
      if (mask != nullptr) __builtin_prefetch(mask + e + entries);
      find_cells_at<closed>(e, offset + 2 * e, mask == nullptr ? broadcast(T(1)) : load(mask + e));
    }
    if (e == entries) return;
    T offsets[2 * lanes<T>] = {}, masks[lanes<T>] = {};
    for (std::int64_t i = 0; i < entries - e; ++i) {
      offsets[2 * i] = offset[2 * (e + i)];
      offsets[2 * i + 1] = offset[2 * (e + i) + 1];
      masks[i] = mask == nullptr ? T(1) : mask[e + i];
    }
    find_cells_at<closed>(e, offsets, load(masks));
  }

  /// Finds the cells of a vector of entries.
  template <bool closed>
  void find_cells_at(std::int64_t e, const T* offset, Vector<T> factor) {
    using Integers = Vector<Integer<T>>;
    const Vector<T> height = broadcast(static_cast<T>(shape_.h)), width = broadcast(static_cast<T>(shape_.w));
    const Vector<T> zero = {}, before = zero - 1;
    Vector<T> y, x;
    load_pairs(offset, y, x);
    y += load(array(0) + e);
    x += load(array(1) + e);
    const Integers beyond = (y >= height) | (x >= width);
    const Integers outside = beyond | (closed ? (y < before) | (x < before) : (y <= before) | (x <= before));
    const Integers inside = ~outside & (y == y) & (x == x);
    const Vector<T> safe_y = inside ? y : zero, safe_x = inside ? x : zero;
    const Integers low_y = floor(safe_y), low_x = floor(safe_x);
    // A NaN stays one here, and makes the sample NaN without reading the image.
    y = outside ? zero : y - __builtin_convertvector(low_y, Vector<T>);
    x = outside ? zero : x - __builtin_convertvector(low_x, Vector<T>);
    if constexpr (closed) {
      store(array(0) + e, y);
      store(array(1) + e, x);
    }
    const Vector<T> low = (1 - y) * factor, high = y * factor;
    store(array(2) + e, low * (1 - x));
    store(array(3) + e, low * x);
    store(array(4) + e, high * (1 - x));
    store(array(5) + e, high * x);
    // Row h and column −1 are the cell of zeros.
    store_cells(inside ? low_y : Integers{} + static_cast<Integer<T>>(shape_.h), inside ? low_x : Integers{} - 1,
                cell_.data() + e);
  }

  /// Rounds down values that an integer can hold.
  static Vector<Integer<T>> floor(Vector<T> value) {
    const auto truncated = __builtin_convertvector(value, Vector<Integer<T>>);
    return truncated + (__builtin_convertvector(truncated, Vector<T>) > value);
  }

  void store_cells(Vector<Integer<T>> row, Vector<Integer<T>> column, std::int64_t* to) const {
    Integer<T> rows[lanes<T>], columns[lanes<T>];
    store(rows, row);
    store(columns, column);
    const std::int64_t row_size = padded_.row_size(), c = padded_.c;
#pragma omp simd
    for (std::int64_t i = 0; i < lanes<T>; ++i) {
      to[i] = (rows[i] + std::int64_t(1)) * row_size + (columns[i] + std::int64_t(1)) * c;
    }
  }

  const DeformConv2dShape& shape_;
  PaddedImage padded_;
  std::int64_t per_point_, room_;
  Scratch<T> tap_y_, tap_x_;
  Scratch<std::int64_t> cell_;
  Scratch<T> values_;
};

}  // namespace deft::kernels::DEFT_SIMD
