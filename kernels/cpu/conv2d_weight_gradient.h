// The weight's gradient of a convolution: for each tap, gradᵀ · pixels over all points whose tap lies in the image.
#pragma once

#include <cstdint>

#include "deft/kernels/conv2d.h"
#include "deft/kernels/cpu/band.h"
#include "deft/kernels/cpu/conv_weight.h"
#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/cpu/panel.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels::DEFT_SIMD {

/// Strips of points, joined where one continues the other.
class Strips {
 public:
  explicit Strips(std::int64_t most) : strips_(most) {}

  void clear() { count_ = 0; }

  void add(const Strip& strip, std::int64_t a_stride, std::int64_t b_stride) {
    if (strip.count <= 0) return;
    if (count_ > 0) {
      Strip& last = strips_[count_ - 1];
      if (last.a + last.count * a_stride == strip.a && last.b + last.count * b_stride == strip.b) {
        last.count += strip.count;
        return;
      }
    }
    strips_[count_++] = strip;
  }

  const Strip* data() const { return strips_.data(); }
  std::int64_t count() const { return count_; }

 private:
  Scratch<Strip> strips_;
  std::int64_t count_ = 0;
};

template <class T>
class Conv2dWeightGradient {
 public:
  Conv2dWeightGradient(const Conv2dShape& s, const Gather& gather, const T* input, const T* grad_output)
      : gather_(gather),
        o_(s.o),
        outputs_(s.o / s.groups),
        input_(input),
        grad_output_(grad_output),
        in_place_(gather.inputs() % lanes<T> == 0),
        with_panel_(gather.groups == 1 && gather.x.count * gather.inputs() < lanes<T>),
        pieces_(s.n, gather.rows, gather.columns, piece_target()),
        band_(gather, pieces_.images_step(), pieces_.rows_step(), true),
        runs_(gather, band_) {}

  /// `grad_bias` may be null. Tasks are chunks of points and, where the sums of all output channels would not stay in
  /// the L2 cache, parts of these.
  void run(T* grad_weight, T* grad_bias) const {
    constexpr std::int64_t part_size = 64 * 1024, most_tasks = 32, least_points = 512;
    const std::int64_t depth = gather_.depth(), points = gather_.n * gather_.rows * gather_.columns;
    const std::int64_t most_parts = gather_.groups > 1 || o_ < 1 ? 1 : o_, by_size = o_ * depth / part_size + 1;
    const std::int64_t parts = by_size < most_parts ? by_size : most_parts;
    const std::int64_t wanted = points / (least_points * parts) + 1, most = most_tasks / parts + 1;
    const std::int64_t fewer = wanted < most ? wanted : most;
    const std::int64_t chunks = fewer < pieces_.count() ? fewer : pieces_.count();
    WeightGradient<T> gradient(chunks, o_, depth, grad_weight, grad_bias);
    parallel_for(chunks * parts, [&](std::int64_t task) {
      const std::int64_t chunk = task / parts, part = task % parts;
      const std::int64_t first = o_ * part / parts, count = o_ * (part + 1) / parts - first;
      run_task(pieces_.count() * chunk / chunks, pieces_.count() * (chunk + 1) / chunks, first, count,
               gradient.chunk(chunk, first, count), grad_bias != nullptr);
    });
    gradient.finish();
  }

 private:
  using Chunk = typename WeightGradient<T>::Chunk;

  /// Points of a piece: what they read of both images stays in the L1 cache or in a share of the L2 cache.
  std::int64_t piece_target() const {
    constexpr std::int64_t elements = 32 * 1024, least = 96, most = 256;
    const std::int64_t fitting = elements / (gather_.c + o_ + 1);
    return fitting < least ? least : fitting > most ? most : fitting;
  }

  void run_task(std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t count, const Chunk& chunk,
                bool with_bias) const {
    Strips strips(pieces_.images_step() * pieces_.rows_step());
    Scratch<T> copy(in_place_ ? 0 : band_.size());
    Scratch<std::int64_t> origins(in_place_ ? 0 : pieces_.largest(gather_.columns));
    Scratch<T> panel(with_panel_ ? panel_size<T>(pieces_.largest(gather_.columns), gather_.depth()) : 0);
    for (std::int64_t i = begin; i < end; ++i) {
      const Piece piece = pieces_[i];
      const std::int64_t points = piece.images * piece.rows * gather_.columns;
      const T* const grad = grad_output_ + grad_row(piece.image, piece.row);
      if (in_place_) {
        add_in_place(piece, strips, first, count, chunk);
      } else {
        band_.open(piece, input_, copy.data(), origins.data());
        if (with_panel_) {
          fill_panel(points, copy.data(), origins.data(), panel.data());
          chunk.add_weight(first, count, points, grad, panel.data());
        } else {
          add_copied(piece, strips, copy.data(), origins.data(), first, count, chunk);
        }
      }
      if (with_bias) chunk.add_bias(points, grad);
    }
  }

  /// Where a row of points begins in grad_output.
  std::int64_t grad_row(std::int64_t image, std::int64_t row) const {
    return (image * gather_.rows + row) * gather_.columns * o_;
  }

  /// Distance of a row's pixels in the input.
  std::int64_t pixel_stride() const { return gather_.step_w * gather_.c; }

  /// Points of [begin, end) along an axis whose tap lies in the image: from, and before.
  struct Range {
    Range(std::int64_t begin, std::int64_t end, std::int64_t step, std::int64_t tap, std::int64_t size)
        : from(tap < 0 ? (step - 1 - tap) / step : 0), before(size - 1 < tap ? 0 : (size - 1 - tap) / step + 1) {
      if (from < begin) from = begin;
      if (before > end) before = end;
    }

    std::int64_t from, before;
  };

  /// Reads the pixels where they lie, tap by tap.
  void add_in_place(const Piece& piece, Strips& strips, std::int64_t first, std::int64_t count,
                    const Chunk& chunk) const {
    for (std::int64_t tap = 0; tap < gather_.y.count * gather_.x.count; ++tap) {
      const std::int64_t y = gather_.y[tap / gather_.x.count], x = gather_.x[tap % gather_.x.count];
      const Range rows(piece.row, piece.row + piece.rows, gather_.step_h, y, gather_.h);
      const Range columns(0, gather_.columns, gather_.step_w, x, gather_.w);
      strips.clear();
      for (std::int64_t image = piece.image; image < piece.image + piece.images; ++image) {
        for (std::int64_t i = rows.from; i < rows.before; ++i) {
          const std::int64_t pixel = (image * gather_.h + i * gather_.step_h + y) * gather_.w + x;
          strips.add({grad_row(image, i) + columns.from * o_, pixel * gather_.c + columns.from * pixel_stride(),
                      columns.before - columns.from},
                     o_, pixel_stride());
        }
      }
      add_products(strips, input_, gather_.inputs(), tap * gather_.inputs(), first, count, chunk);
    }
  }

  /// Writes what all taps of each point read side by side: with so few channels a row of taps fills no vector.
  void fill_panel(std::int64_t points, const T* copy, const std::int64_t* origins, T* panel) const {
    for (std::int64_t point = 0; point < points; ++point) {
      T* to = panel + point * panel_stride<T>(gather_.depth());
      for (const Run* run = runs_.data(); run != runs_.data() + runs_.count(); to += run->count, ++run) {
        store_first(to, load_first(copy + origins[point] + run->displacement, run->count), run->count);
      }
    }
  }

  /// Reads a padded copy of the pixels, where channels fill no whole vectors: these may reach beyond.
  void add_copied(const Piece& piece, Strips& strips, const T* copy, const std::int64_t* origins, std::int64_t first,
                  std::int64_t count, const Chunk& chunk) const {
    strips.clear();
    for (std::int64_t i = 0; i < piece.images * piece.rows; ++i) {
      strips.add({grad_row(piece.image + i / piece.rows, piece.row + i % piece.rows), origins[i * gather_.columns],
                  gather_.columns},
                 o_, pixel_stride());
    }
    std::int64_t column = 0;
    for (const Run* run = runs_.data(); run != runs_.data() + runs_.count(); column += run->count, ++run) {
      add_products(strips, copy + run->displacement, run->count, column, first, count, chunk);
    }
  }

  /// Adds to `columns` columns of the weights of channels [first, first + count).
  void add_products(const Strips& strips, const T* pixels, std::int64_t columns, std::int64_t column,
                    std::int64_t first, std::int64_t count, const Chunk& chunk) const {
    const std::int64_t depth = gather_.depth(), per_group = gather_.groups > 1 ? outputs_ : count;
    for (std::int64_t group = 0; group < gather_.groups; ++group) {
      const std::int64_t channel = first + group * outputs_;
      gemm_transposed_strips(per_group, columns, grad_output_ + channel, o_, pixels + group * gather_.inputs(),
                             pixel_stride(), strips.data(), strips.count(), chunk.weights() + channel * depth + column,
                             depth);
    }
  }

  const Gather& gather_;
  std::int64_t o_, outputs_;
  const T *input_, *grad_output_;
  bool in_place_, with_panel_;
  Pieces pieces_;
  Band<T> band_;
  Runs<T> runs_;
};

}  // namespace deft::kernels::DEFT_SIMD
