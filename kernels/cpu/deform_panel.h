// What both directions of a deformable convolution share: how its channels are divided, how its images are padded, and
// the panel of samples.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "deft/kernels/cpu/panel.h"
#include "deft/kernels/cpu/sampling_plan.h"
#include "deft/kernels/deform_conv2d.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/cpu/simd.h"
#include "deft/kernels/runtime/parallel_for.h"

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
        padded{s.h, s.w, s.c},
        first_segment(s.groups + 1) {
    std::int64_t groups_begun = 0;
    const std::int64_t per_offset_group = s.c / s.offset_groups;
    for (std::int64_t channel = 0; channel < s.c;) {
      const std::int64_t group = channel / inputs, offset_group = channel / per_offset_group;
      const std::int64_t group_end = (group + 1) * inputs, offset_group_end = (offset_group + 1) * per_offset_group;
      const std::int64_t end = group_end < offset_group_end ? group_end : offset_group_end;
      if (channel == group * inputs) first_segment[groups_begun++] = static_cast<std::int64_t>(segments.size());
      segments.push_back({group, offset_group, channel, channel - group * inputs, end - channel});
      channel = end;
    }
    while (groups_begun <= s.groups) first_segment[groups_begun++] = static_cast<std::int64_t>(segments.size());
  }

  /// The segments of `group`.
  const Segment* begin(std::int64_t group) const { return segments.data() + first_segment[group]; }
  const Segment* end(std::int64_t group) const { return begin(group + 1); }

  const DeformConv2dShape& shape;
  std::int64_t rows, columns;    ///< of the output
  std::int64_t inputs, outputs;  ///< channels per group
  std::int64_t depth;            ///< of a group's panel
  std::int64_t entries;          ///< offset pairs, and mask values, per output pixel
  PaddedImage padded;
  std::vector<Segment> segments;        ///< in the order of channels
  Scratch<std::int64_t> first_segment;  ///< of each group, and the end of the last
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

/// The vectors that the channels fill if they share one set of offsets and that is a usual number, for which loops are
/// unrolled; else 0.
template <class T>
std::int64_t usual_vectors(const DeformGeometry& geometry) {
  if (geometry.segments.size() != 1 || geometry.shape.c % lanes<T> != 0) return 0;
  const std::int64_t vectors = geometry.shape.c / lanes<T>;
  return vectors == 1 || vectors == 2 || vectors == 4 || vectors == 8 ? vectors : 0;
}

/// Calls body(std::integral_constant<int, vectors>) for what usual_vectors gives.
template <class T, class Body>
void with_usual_vectors(const DeformGeometry& geometry, Body&& body) {
  switch (usual_vectors<T>(geometry)) {
    case 1:
      return body(std::integral_constant<int, 1>());
    case 2:
      return body(std::integral_constant<int, 2>());
    case 4:
      return body(std::integral_constant<int, 4>());
    case 8:
      return body(std::integral_constant<int, 8>());
    default:
      return body(std::integral_constant<int, 0>());
  }
}

/// The weights of a cell's corners at one entry of a plan.
template <class T>
struct CornerWeights {
  Vector<T> at_00, at_01, at_10, at_11;
};

/// Reads the weights of a plan, whose arrays it keeps at hand.
template <class T>
class PlanReader {
 public:
  explicit PlanReader(const SamplingPlan<T>& plan)
      : cell_(plan.cell()),
        weight_0_(plan.weight(0)),
        weight_1_(plan.weight(1)),
        weight_2_(plan.weight(2)),
        weight_3_(plan.weight(3)) {}

  std::int64_t cell(std::int64_t e) const { return cell_[e]; }
  CornerWeights<T> weights(std::int64_t e) const {
    return {broadcast(weight_0_[e]), broadcast(weight_1_[e]), broadcast(weight_2_[e]), broadcast(weight_3_[e])};
  }

 private:
  const std::int64_t* cell_;
  const T *weight_0_, *weight_1_, *weight_2_, *weight_3_;
};

/// One vector of each corner of a cell. `pixel` and `row` are the distances between corners.
template <class T>
struct CornerValues {
  CornerValues(const T* cell, std::int64_t pixel, std::int64_t row)
      : at_00(load(cell)), at_01(load(cell + pixel)), at_10(load(cell + row)), at_11(load(cell + row + pixel)) {}

  Vector<T> sample(const CornerWeights<T>& weights) const {
    return weights.at_00 * at_00 + weights.at_01 * at_01 + weights.at_10 * at_10 + weights.at_11 * at_11;
  }

  Vector<T> at_00, at_01, at_10, at_11;
};

/// fill_panel for channels that fill `vectors` vectors and share one set of offsets: the panel's taps follow each
/// other.
template <int vectors, class T>
void fill_taps(std::int64_t row, const SamplingPlan<T>& plan, std::int64_t entries, const T* image, T* panel) {
  constexpr std::int64_t pixel = vectors * lanes<T>;
  const PlanReader<T> reader(plan);
  for (std::int64_t e = 0; e < entries; ++e) {
    const CornerWeights<T> weights = reader.weights(e);
    const T* const cell = image + reader.cell(e);
    DEFT_UNROLL
    for (int i = 0; i < vectors; ++i) {
      store(panel + i * lanes<T>, CornerValues<T>(cell + i * lanes<T>, pixel, row).sample(weights));
    }
    panel += pixel;
  }
}

/// Fills the panel of `group` with the samples of the planned points.
template <class T>
void fill_panel(const DeformGeometry& geometry, std::int64_t group, const SamplingPlan<T>& plan, std::int64_t count,
                const T* image, T* panel) {
  const std::int64_t taps = geometry.shape.taps(), stride = panel_stride<T>(geometry.depth);
  const std::int64_t pixel = geometry.shape.c, row = geometry.padded.row_size();
  with_usual_vectors<T>(geometry, [&](auto vectors) {
    constexpr int n = decltype(vectors)::value;
    if constexpr (n > 0) {
      fill_taps<n>(row, plan, count * taps, image, panel);
      return;
    }
    const PlanReader<T> reader(plan);
    for (std::int64_t point = 0; point < count; ++point) {
      // Samples are written in whole vectors, so in the order in which they lie.
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        T* const to = panel + point * stride + tap * geometry.inputs;
        for (const Segment* segment = geometry.begin(group); segment != geometry.end(group); ++segment) {
          const std::int64_t e = point * geometry.entries + segment->offset_group * taps + tap;
          const CornerWeights<T> weights = reader.weights(e);
          const T* const cell = image + reader.cell(e) + segment->channel;
          for (std::int64_t i = 0; i < segment->count; i += lanes<T>) {
            store(to + segment->column + i, CornerValues<T>(cell + i, pixel, row).sample(weights));
          }
        }
      }
    }
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
