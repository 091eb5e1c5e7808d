// Panels of a convolution: for a block of output pixels, the input values under each tap, row by row. A panel stays in
// the L2 cache; there is never one for a whole image.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "deft/kernels/cpu/simd.h"

namespace deft::kernels::DEFT_SIMD {

/// Displacement of a tap, in pixels.
struct Tap {
  std::int64_t y, x;
};

/// Which pixels of channels-last images [n, h, w, c] a lattice of points reads: the point in row i, column j reads, for
/// each tap, the pixel (i · step_h + tap.y, j · step_w + tap.x), or zeros where that lies outside.
struct Gather {
  std::int64_t n, h, w, c, groups;
  std::int64_t rows, columns;  ///< of the lattice
  std::int64_t step_h, step_w;
  std::vector<Tap> taps;

  std::int64_t depth() const { return static_cast<std::int64_t>(taps.size()) * (c / groups); }
  std::int64_t points() const { return n * rows * columns; }
};

/// A piece of work: lattice rows [row, row + rows) of images [image, image + images).
struct Piece {
  std::int64_t image, images, row, rows;
};

/// Cuts all lattices into pieces of about `target` points: several images, or some rows of one.
class Pieces {
 public:
  Pieces(std::int64_t images, std::int64_t rows, std::int64_t columns, std::int64_t target)
      : images_(images), rows_(rows) {
    const std::int64_t points = rows * columns;
    if (images == 0 || points == 0) return;
    if (points <= target) {
      images_step_ = target / points;
      rows_step_ = rows;
    } else {
      rows_step_ = target > columns ? target / columns : 1;
    }
    row_pieces_ = (rows + rows_step_ - 1) / rows_step_;
    count_ = (images + images_step_ - 1) / images_step_ * row_pieces_;
  }

  std::int64_t count() const { return count_; }

  Piece operator[](std::int64_t i) const {
    const std::int64_t image = i / row_pieces_ * images_step_;
    const std::int64_t row = i % row_pieces_ * rows_step_;
    return {image, images_step_ < images_ - image ? images_step_ : images_ - image, row,
            rows_step_ < rows_ - row ? rows_step_ : rows_ - row};
  }

  /// Most points that a piece has.
  std::int64_t largest(std::int64_t columns) const { return images_step_ * rows_step_ * columns; }
  std::int64_t images_step() const { return images_step_; }
  std::int64_t rows_step() const { return rows_step_; }

 private:
  std::int64_t images_, rows_;
  std::int64_t images_step_ = 1, rows_step_ = 1, row_pieces_ = 1, count_ = 0;
};

/// Points that a piece of work should have: enough for some microseconds, few enough that what they read stays near.
inline std::int64_t piece_points(std::int64_t depth, std::int64_t channels, std::int64_t outputs) {
  constexpr std::int64_t work = 2'000'000, elements = 128 * 1024, least = 96, most = 4096;
  const std::int64_t by_work = work / (depth * outputs + 1), by_size = elements / (channels + 1);
  const std::int64_t points = by_work < by_size ? by_work : by_size;
  return points < least ? least : points > most ? most : points;
}

/// Copies `count` elements in whole vectors: reads and writes up to a vector too far. Short runs take short vectors, whose
/// overlapping writes rarely cross a cache line.
template <class T>
inline void copy_overrunning(T* to, const T* from, std::int64_t count) {
  if (count * static_cast<std::int64_t>(sizeof(T)) <= 16) {
    std::memcpy(to, from, 16);
    return;
  }
  for (std::int64_t i = 0; i < count; i += lanes<T>) store(to + i, load(from + i));
}

/// The pixels that a piece reads, copied with zeros around them, so that filling a panel needs no tests.
template <class T>
class Band {
 public:
  Band(const Gather& gather, std::int64_t images, std::int64_t rows) : gather_(gather) {
    Tap low = gather.taps.front(), high = low;
    for (const Tap& tap : gather.taps) {
      low = {tap.y < low.y ? tap.y : low.y, tap.x < low.x ? tap.x : low.x};
      high = {tap.y > high.y ? tap.y : high.y, tap.x > high.x ? tap.x : high.x};
    }
    low_ = low;
    height_ = (rows - 1) * gather.step_h + high.y - low.y + 1;
    width_ = (gather.columns - 1) * gather.step_w + high.x - low.x + 1;
    images_ = images;
  }

  /// Elements, with what reading whole vectors needs.
  std::int64_t size() const { return images_ * height_ * width_ * gather_.c + lanes<T>; }

  /// Element of a tap relative to a point's origin.
  std::int64_t displacement(const Tap& tap) const { return ((tap.y - low_.y) * width_ + tap.x - low_.x) * gather_.c; }

  /// Copies what `piece` reads from the images at `from` to `to`, and its points' origins (elements of `to`).
  void fill(const Piece& piece, const T* from, T* to, std::int64_t* origins) const {
    for (std::int64_t image = 0; image < piece.images; ++image) {
      const T* const source = from + (piece.image + image) * gather_.h * gather_.w * gather_.c;
      for (std::int64_t row = 0; row < height_; ++row) {
        fill_row(piece.row * gather_.step_h + low_.y + row, source, to + (image * height_ + row) * width_ * gather_.c);
      }
      for (std::int64_t row = 0; row < piece.rows; ++row) {
        for (std::int64_t column = 0; column < gather_.columns; ++column) {
          *origins++ = ((image * height_ + row * gather_.step_h) * width_ + column * gather_.step_w) * gather_.c;
        }
      }
    }
  }

 private:
  void fill_row(std::int64_t y, const T* source, T* to) const {
    std::int64_t begin = low_.x < 0 ? -low_.x : 0;
    std::int64_t end = gather_.w - low_.x < width_ ? gather_.w - low_.x : width_;
    if (y < 0 || y >= gather_.h || begin >= end) begin = end = width_;
    const std::int64_t bytes = gather_.c * static_cast<std::int64_t>(sizeof(T));
    if (bytes == 0) return;
    std::memset(to, 0, static_cast<std::size_t>(begin * bytes));
    if (begin == end) return;
    std::memcpy(to + begin * gather_.c, source + (y * gather_.w + low_.x + begin) * gather_.c,
                static_cast<std::size_t>((end - begin) * bytes));
    std::memset(to + end * gather_.c, 0, static_cast<std::size_t>((width_ - end) * bytes));
  }

  const Gather& gather_;
  Tap low_;
  std::int64_t images_, height_, width_;
};

/// Contiguous elements of a panel row: where they lie relative to the point's origin, and how many they are.
struct Run {
  std::int64_t displacement, count;
};

/// The runs that make up a panel row of the first group: neighbouring taps are one run where channels are not divided.
template <class T>
std::vector<Run> panel_runs(const Gather& gather, const Band<T>& band) {
  std::vector<Run> runs;
  for (const Tap& tap : gather.taps) {
    const std::int64_t displacement = band.displacement(tap);
    if (gather.groups == 1 && !runs.empty() && runs.back().displacement + runs.back().count == displacement) {
      runs.back().count += gather.c;
    } else {
      runs.push_back({displacement, gather.c / gather.groups});
    }
  }
  return runs;
}

/// Elements between panel rows of `depth`: whole vectors.
template <class T>
std::int64_t panel_stride(std::int64_t depth) {
  return round_up_to_lanes<T>(depth);
}

/// Elements of a panel of `points` rows, with what writing whole vectors needs.
template <class T>
std::int64_t panel_size(std::int64_t points, std::int64_t depth) {
  return points * panel_stride<T>(depth) + lanes<T>;
}

/// Points per panel: as many as keep it within a share of the L2 cache, and whole tiles of the matrix product.
template <class T>
std::int64_t panel_points(std::int64_t depth) {
  constexpr std::int64_t bytes = 384 * 1024, most = 96, least = 24;
  const std::int64_t fitting = bytes / (panel_stride<T>(depth > 0 ? depth : 1) * static_cast<std::int64_t>(sizeof(T)));
  return fitting > most ? most : fitting < least ? least : fitting / least * least;
}

/// Calls body(begin, count) for consecutive, nearly equal blocks of at most `most` that cover [0, n).
template <class Body>
void for_blocks(std::int64_t n, std::int64_t most, Body&& body) {
  const std::int64_t blocks = (n + most - 1) / most;
  for (std::int64_t i = 0; i < blocks; ++i) {
    const std::int64_t begin = n * i / blocks;
    body(begin, n * (i + 1) / blocks - begin);
  }
}

/// Fills panel rows for `points` origins. What a row ends with beyond its depth is undefined.
template <class T>
void fill_panel(const std::vector<Run>& runs, const T* band, const std::int64_t* origins, std::int64_t points,
                std::int64_t stride, T* panel) {
  for (std::int64_t point = 0; point < points; ++point) {
    const T* const from = band + origins[point];
    T* to = panel + point * stride;
    for (const Run& run : runs) {
      copy_overrunning(to, from + run.displacement, run.count);
      to += run.count;
    }
  }
}

}  // namespace deft::kernels::DEFT_SIMD
