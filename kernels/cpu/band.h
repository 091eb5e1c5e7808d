// What the points of a convolution read: pixels of channels-last images, a row of a matrix product for each point, read
// where they lie.
#pragma once

#include <cstdint>

#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/cpu/padded_row.h"
#include "deft/kernels/cpu/panel.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/cpu/simd.h"

namespace deft::kernels::DEFT_SIMD {

/// Displacements of the taps along one axis, in pixels: first, first + step, … ; step is at least 1.
struct TapAxis {
  std::int64_t first, step, count;

  std::int64_t operator[](std::int64_t i) const { return first + i * step; }
  std::int64_t last() const { return first + (count - 1) * step; }
};

/// Which pixels of channels-last images [n, h, w, c] a lattice of points reads: the point in row i, column j reads, for
/// each pair of taps, the pixel (i · step_h + y, j · step_w + x), or zeros where that lies outside.
struct Gather {
  std::int64_t n, h, w, c, groups;
  std::int64_t rows, columns;  ///< of the lattice
  std::int64_t step_h, step_w;
  TapAxis y, x;

  std::int64_t inputs() const { return c / groups; }
  std::int64_t depth() const { return y.count * x.count * inputs(); }
};

/// The pixels that a piece reads: where every tap of every point lies in the image, the images themselves; else a copy
/// with zeros around them, so that nothing need be tested. It has the rows between the first and the last that are read
/// or, where a dilation skips rows, those of each row of taps.
template <class T>
class Band {
 public:
  /// For pieces of at most so many images and rows. `whole_vectors`: whole vectors are read from every tap on.
  Band(const Gather& gather, std::int64_t images, std::int64_t rows, bool whole_vectors)
      : gather_(gather), images_(images) {
    in_place_ = gather.y.first >= 0 && (gather.rows - 1) * gather.step_h + gather.y.last() < gather.h &&
                gather.x.first >= 0 && (gather.columns - 1) * gather.step_w + gather.x.last() < gather.w &&
                !(whole_vectors && gather.inputs() % lanes<T> != 0);
    const std::int64_t read = (rows - 1) * gather.step_h + 1;
    skipped_ = in_place_ || gather.y.step <= read ? 0 : gather.y.step - read;
    tap_rows_ = gather.y.step - skipped_;
    height_ = in_place_ ? gather.h : read + (gather.y.count - 1) * tap_rows_;
    width_ = in_place_ ? gather.w : (gather.columns - 1) * gather.step_w + gather.x.last() - gather.x.first + 1;
  }

  /// Elements of the copy, with what reading whole vectors needs; 0 where there is none.
  std::int64_t size() const { return in_place_ ? 0 : images_ * height_ * width_ * gather_.c + lanes<T>; }

  /// Element of a tap relative to a point's origin.
  std::int64_t displacement(std::int64_t y, std::int64_t x) const {
    return (y * tap_rows_ * width_ + x * gather_.x.step) * gather_.c;
  }

  /// The pixels of `piece`, copied to `copy` if need be. Sets its points' origins, relative to them.
  const T* open(const Piece& piece, const T* images, T* copy, std::int64_t* origins) const {
    const std::int64_t top = piece.row * gather_.step_h + gather_.y.first;
    const T* const source = images + piece.image * gather_.h * gather_.w * gather_.c;
    for (std::int64_t image = 0; image < piece.images; ++image) {
      if (!in_place_)
        copy_rows(source + image * gather_.h * gather_.w * gather_.c, top, copy + image * height_ * row());
      for (std::int64_t i = 0; i < piece.rows; ++i) {
        std::int64_t origin = (image * height_ + i * gather_.step_h) * row();
        for (std::int64_t j = 0; j < gather_.columns; ++j, origin += gather_.step_w * gather_.c) *origins++ = origin;
      }
    }
    return in_place_ ? source + top * row() + gather_.x.first * gather_.c : copy;
  }

 private:
  std::int64_t row() const { return width_ * gather_.c; }

  /// Copies the rows of an image from `top` on; what lies outside becomes zeros.
  void copy_rows(const T* image, std::int64_t top, T* to) const {
    for (std::int64_t i = 0; i < height_; ++i, to += row()) {
      const std::int64_t y = top + i + i / tap_rows_ * skipped_;
      const bool inside = y >= 0 && y < gather_.h;
      copy_padded_row(inside ? image + y * gather_.w * gather_.c : nullptr, gather_.w, gather_.c, gather_.x.first,
                      width_, to);
    }
  }

  const Gather& gather_;
  std::int64_t images_, height_, width_;
  std::int64_t tap_rows_, skipped_;  // rows of the copy from one row of taps to the next, of the image left out between
  bool in_place_;
};

/// The runs that make up a point's row in the first group, in the order of taps and channels: neighbouring taps are one
/// run where channels are not divided.
template <class T>
class Runs {
 public:
  Runs(const Gather& gather, const Band<T>& band)
      : taps_per_run_(gather.groups == 1 && gather.x.step == 1 ? gather.x.count : 1),
        length_(taps_per_run_ * gather.inputs()),
        parts_((length_ + gemm_depth - 1) / gemm_depth),
        count_(length_ == 0 ? 0 : gather.y.count * (gather.x.count / taps_per_run_) * parts_),
        runs_(count_) {
    Run* run = runs_.data();
    for (std::int64_t y = 0; count_ > 0 && y < gather.y.count; ++y) {
      for (std::int64_t x = 0; x < gather.x.count; x += taps_per_run_) {
        for (std::int64_t i = 0; i < parts_; ++i) {
          const std::int64_t begin = length_ * i / parts_, end = length_ * (i + 1) / parts_;
          *run++ = {band.displacement(y, x) + begin, end - begin};
        }
      }
    }
  }

  const Run* data() const { return runs_.data(); }
  std::int64_t count() const { return count_; }

 private:
  std::int64_t taps_per_run_, length_, parts_, count_;
  Scratch<Run> runs_;
};

}  // namespace deft::kernels::DEFT_SIMD
