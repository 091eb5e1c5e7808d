// How the work of a convolution is cut into pieces and blocks of output pixels; and panels, in which the samples of a
// deformable convolution lie, and what the weight's gradient of few channels reads: a row for each point, tap by tap. A
// panel stays in the L2 cache; there is never one for a whole image.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/cpu/simd.h"

namespace deft::kernels::DEFT_SIMD {

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
      images_step_ = target / points < images ? target / points : images;
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

}  // namespace deft::kernels::DEFT_SIMD
