// What both directions of a deformable convolution share: how its channels are divided, how its images are padded, and
// the panel of samples.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "deft/kernels/allocator.h"
#include "deft/kernels/cpu/panel.h"
#include "deft/kernels/cpu/sampling_plan.h"
#include "deft/kernels/cpu/simd.h"
#include "deft/kernels/deform_conv2d.h"
#include "deft/kernels/parallel_for.h"

namespace deft::kernels::DEFT_SIMD {

/// Channels [channel, channel + count) that share a group and an offset group; they stand in the group's panel from
/// `column` of each tap on.
struct Segment {
  std::int64_t group, offset_group, channel, column, count;
};

/// A convolution with the sizes derived from it.
struct DeformGeometry {
  explicit DeformGeometry(const DeformConv2dShape& s)
      : shape(s),
        rows(s.h_out()),
        columns(s.w_out()),
        inputs(s.c / s.groups),
        outputs(s.o / s.groups),
        depth(s.taps() * inputs),
        entries(s.offset_groups * s.taps()),
        padded{s.h, s.w, s.c} {
    const std::int64_t per_offset_group = s.c / s.offset_groups;
    for (std::int64_t channel = 0; channel < s.c;) {
      const std::int64_t group = channel / inputs, offset_group = channel / per_offset_group;
      const std::int64_t group_end = (group + 1) * inputs, offset_group_end = (offset_group + 1) * per_offset_group;
      const std::int64_t end = group_end < offset_group_end ? group_end : offset_group_end;
      if (channel == group * inputs) first_segment.push_back(static_cast<std::int64_t>(segments.size()));
      segments.push_back({group, offset_group, channel, channel - group * inputs, end - channel});
      channel = end;
    }
    first_segment.resize(static_cast<std::size_t>(s.groups) + 1, static_cast<std::int64_t>(segments.size()));
  }

  /// The segments of `group`.
  const Segment* begin(std::int64_t group) const {
    return segments.data() + first_segment[static_cast<std::size_t>(group)];
  }
  const Segment* end(std::int64_t group) const { return begin(group + 1); }

  const DeformConv2dShape& shape;
  std::int64_t rows, columns;    ///< of the output
  std::int64_t inputs, outputs;  ///< channels per group
  std::int64_t depth;            ///< of a group's panel
  std::int64_t entries;          ///< offset pairs, and mask values, per output pixel
  PaddedImage padded;
  std::vector<Segment> segments;            ///< in the order of channels
  std::vector<std::int64_t> first_segment;  ///< of each group, and the end of the last
};

/// Batches of at least this many images are cut between images only.
constexpr std::int64_t many_images = 8;

/// Output pixels [begin, begin + count) of an image; `pixel` and `entry` are the first one's place in the whole batch.
struct Block {
  std::int64_t begin, count, pixel, entry;
};

/// Calls body(block) for the blocks of a piece's part of `image`.
template <class Body>
void for_image_blocks(const DeformGeometry& geometry, const Piece& piece, std::int64_t image, std::int64_t most,
                      Body&& body) {
  for_blocks(piece.rows * geometry.columns, most, [&](std::int64_t begin, std::int64_t count) {
    begin += piece.row * geometry.columns;
    const std::int64_t pixel = image * geometry.rows * geometry.columns + begin;
    body(Block{begin, count, pixel, pixel * geometry.entries});
  });
}

/// The vectors that `count` channels fill if that is a usual number, for which loops are unrolled; else 0.
template <class T>
int usual_vectors(const DeformGeometry& geometry) {
  if (geometry.segments.size() != 1) return 0;
  const std::int64_t count = geometry.segments[0].count;
  return count == 2 * lanes<T> ? 2 : count == 4 * lanes<T> ? 4 : 0;
}

/// Calls body(std::integral_constant<int, vectors>) for what usual_vectors gives.
template <class T, class Body>
void with_usual_vectors(const DeformGeometry& geometry, Body&& body) {
  switch (usual_vectors<T>(geometry)) {
    case 2:
      return body(std::integral_constant<int, 2>());
    case 4:
      return body(std::integral_constant<int, 4>());
    default:
      return body(std::integral_constant<int, 0>());
  }
}

/// The weights of a cell's corners at one entry of a plan.
template <class T>
struct CornerWeights {
  CornerWeights(const SamplingPlan<T>& plan, std::int64_t e)
      : at_00(broadcast(plan.weight(0)[e])),
        at_01(broadcast(plan.weight(1)[e])),
        at_10(broadcast(plan.weight(2)[e])),
        at_11(broadcast(plan.weight(3)[e])) {}

  Vector<T> at_00, at_01, at_10, at_11;
};

/// One vector of bilinear samples. `pixel` and `row` are the distances between a cell's corners.
template <class T>
inline void sample(const T* cell, std::int64_t pixel, std::int64_t row, const CornerWeights<T>& weights, T* to) {
  store(to, weights.at_00 * load(cell) + weights.at_01 * load(cell + pixel) + weights.at_10 * load(cell + row) +
                weights.at_11 * load(cell + row + pixel));
}

/// Fills the panel of `group` with the samples of the planned points; `vectors` as from usual_vectors.
template <int vectors, class T>
void fill_panel(const DeformGeometry& geometry, std::int64_t group, const SamplingPlan<T>& plan, std::int64_t count,
                const T* image, T* panel) {
  const std::int64_t taps = geometry.shape.taps(), stride = panel_stride<T>(geometry.depth);
  const std::int64_t pixel = geometry.shape.c, row = geometry.padded.row_size();
  for (std::int64_t point = 0; point < count; ++point) {
    // Samples are written in whole vectors, so in the order in which they lie.
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      T* const to = panel + point * stride + tap * geometry.inputs;
      if constexpr (vectors > 0) {
        const std::int64_t e = point * taps + tap;
        const CornerWeights<T> weights(plan, e);
        DEFT_UNROLL
        for (int i = 0; i < vectors; ++i) {
          sample(image + plan.cell()[e] + i * lanes<T>, pixel, row, weights, to + i * lanes<T>);
        }
      } else {
        for (const Segment* segment = geometry.begin(group); segment != geometry.end(group); ++segment) {
          const std::int64_t e = point * geometry.entries + segment->offset_group * taps + tap;
          const CornerWeights<T> weights(plan, e);
          const T* const cell = image + plan.cell()[e] + segment->channel;
          for (std::int64_t i = 0; i < segment->count; i += lanes<T>) {
            sample(cell + i, pixel, row, weights, to + segment->column + i);
          }
        }
      }
    }
  }
}

template <class T>
void fill_panel(const DeformGeometry& geometry, std::int64_t group, const SamplingPlan<T>& plan, std::int64_t count,
                const T* image, T* panel) {
  with_usual_vectors<T>(geometry, [&](auto vectors) {
    fill_panel<decltype(vectors)::value>(geometry, group, plan, count, image, panel);
  });
}

/// All images of a small batch with zeros around them.
template <class T>
class PaddedBatch {
 public:
  /// Pads the images if `wanted`.
  PaddedBatch(const DeformGeometry& geometry, const T* input, bool wanted)
      : padded_(geometry.padded), data_(wanted ? geometry.shape.n * padded_.size() + lanes<T> : 0) {
    if (!wanted) return;
    const std::int64_t block = 16384 / (padded_.row_size() + 1) + 1;
    parallel_blocks(geometry.shape.n * padded_.height(), block, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t image = i / padded_.height();
        padded_.fill_row(i % padded_.height(), input + image * padded_.h * padded_.w * padded_.c,
                         data_.data() + image * padded_.size());
      }
    });
  }

  const T* image(std::int64_t i) const { return data_.data() + i * padded_.size(); }

 private:
  PaddedImage padded_;
  Scratch<T> data_;
};

/// The padded image that a piece samples: one of the batch's, or padded here.
template <class T>
class PieceImage {
 public:
  PieceImage(const DeformGeometry& geometry, const T* input, const PaddedBatch<T>* batch)
      : padded_(geometry.padded), input_(input), batch_(batch), own_(batch ? 0 : padded_.size() + lanes<T>) {}

  const T* load(std::int64_t image) {
    if (batch_ != nullptr) return batch_->image(image);
    padded_.fill(input_ + image * padded_.h * padded_.w * padded_.c, own_.data());
    return own_.data();
  }

 private:
  PaddedImage padded_;
  const T* input_;
  const PaddedBatch<T>* batch_;
  Scratch<T> own_;
};

}  // namespace deft::kernels::DEFT_SIMD
