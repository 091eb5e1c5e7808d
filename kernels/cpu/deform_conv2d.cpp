#include "deft/kernels/deform_conv2d.h"

#include <cstring>
#include <type_traits>
#include <vector>

#include "deft/kernels/allocator.h"
#include "deft/kernels/cpu/conv_weight.h"
#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/cpu/panel.h"
#include "deft/kernels/cpu/sampling_plan.h"
#include "deft/kernels/parallel_for.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

/// Channels [channel, channel + count) that share a group and an offset group; they stand in the group's panel from
/// `column` of each tap on.
struct Segment {
  std::int64_t group, offset_group, channel, column, count;
};

/// A convolution with the sizes derived from it.
struct Geometry {
  explicit Geometry(const DeformConv2dShape& s)
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
void for_image_blocks(const Geometry& geometry, const Piece& piece, std::int64_t image, std::int64_t most,
                      Body&& body) {
  for_blocks(piece.rows * geometry.columns, most, [&](std::int64_t begin, std::int64_t count) {
    begin += piece.row * geometry.columns;
    const std::int64_t pixel = image * geometry.rows * geometry.columns + begin;
    body(Block{begin, count, pixel, pixel * geometry.entries});
  });
}

/// The vectors that `count` channels fill if that is a usual number, for which loops are unrolled; else 0.
template <class T>
int usual_vectors(const Geometry& geometry) {
  if (geometry.segments.size() != 1) return 0;
  const std::int64_t count = geometry.segments[0].count;
  return count == 2 * lanes<T> ? 2 : count == 4 * lanes<T> ? 4 : 0;
}

/// Calls body(std::integral_constant<int, vectors>) for what usual_vectors gives.
template <class T, class Body>
void with_usual_vectors(const Geometry& geometry, Body&& body) {
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
void fill_panel(const Geometry& geometry, std::int64_t group, const SamplingPlan<T>& plan, std::int64_t count,
                const T* image, T* panel) {
  const std::int64_t taps = geometry.shape.taps(), stride = panel_stride<T>(geometry.depth);
  const std::int64_t pixel = geometry.shape.c, row = geometry.padded.row_size();
  const Segment* const begin = geometry.segments.data() + geometry.first_segment[static_cast<std::size_t>(group)];
  const Segment* const end = geometry.segments.data() + geometry.first_segment[static_cast<std::size_t>(group) + 1];
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
        for (const Segment* segment = begin; segment != end; ++segment) {
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
void fill_panel(const Geometry& geometry, std::int64_t group, const SamplingPlan<T>& plan, std::int64_t count,
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
  PaddedBatch(const Geometry& geometry, const T* input, bool wanted)
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
  PieceImage(const Geometry& geometry, const T* input, const PaddedBatch<T>* batch)
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

template <class T>
void forward(const DeformConv2dShape& s, const T* input, const T* offset, const T* mask, const T* weight, const T* bias,
             T* output) {
  const Geometry geometry(s);
  const std::int64_t points = geometry.rows * geometry.columns, depth = geometry.depth;
  const std::int64_t stride = panel_stride<T>(depth), most = panel_points<T>(depth);
  const std::int64_t wanted = piece_points(depth, s.c, s.o);
  const Pieces pieces(s.n, geometry.rows, geometry.columns, s.n >= many_images && wanted < points ? points : wanted);
  const bool whole = pieces.rows_step() == geometry.rows;
  PackedWeight<T> packed_weight(s.groups, depth, geometry.outputs);
  packed_weight.pack_forward(weight, bias);
  const PaddedBatch<T> batch(geometry, input, !whole);
  parallel_for(pieces.count(), [&](std::int64_t i) {
    const Piece piece = pieces[i];
    PieceImage<T> piece_image(geometry, input, whole ? nullptr : &batch);
    SamplingPlan<T> plan(s, most);
    Scratch<T> panel(panel_size<T>(most, depth));
    for (std::int64_t image = piece.image; image < piece.image + piece.images; ++image) {
      const T* const pixels = piece_image.load(image);
      for_image_blocks(geometry, piece, image, most, [&](const Block& block) {
        plan.make(block.begin, block.count, offset + 2 * block.entry, mask == nullptr ? nullptr : mask + block.entry,
                  Derivative::no);
        for (std::int64_t group = 0; group < s.groups; ++group) {
          fill_panel(geometry, group, plan, block.count, pixels, panel.data());
          gemm<T, Layout::rows>(block.count, geometry.outputs, depth, panel.data(), stride, packed_weight.matrix(group),
                                packed_weight.bias(group), 0, output + block.pixel * s.o + group * geometry.outputs,
                                s.o);
        }
      });
    }
  });
}

/// Inner products of a sample's gradient with the four corners of its cell, in parts.
template <class T>
struct CornerSums {
  Vector<T> at_00 = {}, at_01 = {}, at_10 = {}, at_11 = {};
};

/// Takes every lane.
struct KeepAll {
  template <class V>
  V operator()(V vector) const {
    return vector;
  }
};

/// Multiplies one vector of a sample's gradient with the corners of the cell.
template <class T, class Keep>
inline void multiply_corners(Vector<T> gradient, const T* cell, std::int64_t pixel, std::int64_t row, Keep keep,
                             CornerSums<T>& sums) {
  sums.at_00 += keep(gradient * load(cell));
  sums.at_01 += keep(gradient * load(cell + pixel));
  sums.at_10 += keep(gradient * load(cell + row));
  sums.at_11 += keep(gradient * load(cell + row + pixel));
}

/// Adds one vector of a sample's gradient, weighted, to the corners of the cell.
template <class T, class Keep>
inline void scatter(Vector<T> gradient, const CornerWeights<T>& weights, std::int64_t pixel, std::int64_t row,
                    Keep keep, T* cell) {
  store(cell, load(cell) + keep(weights.at_00 * gradient));
  store(cell + pixel, load(cell + pixel) + keep(weights.at_01 * gradient));
  store(cell + row, load(cell + row) + keep(weights.at_10 * gradient));
  store(cell + row + pixel, load(cell + row + pixel) + keep(weights.at_11 * gradient));
}

template <class T>
class Backward {
 public:
  Backward(const DeformConv2dShape& s, const T* input, const T* offset, const T* mask, const T* weight,
           const T* grad_output, const DeformConv2dGradients<T>& gradients)
      : s_(s),
        geometry_(s),
        input_(input),
        offset_(offset),
        mask_(mask),
        grad_output_(grad_output),
        gradients_(gradients),
        most_(panel_points<T>(geometry_.depth)),
        stride_(panel_stride<T>(geometry_.depth)),
        pieces_(s.n, geometry_.rows, geometry_.columns, piece_target()),
        packed_weight_(s.groups, geometry_.outputs, geometry_.depth) {
    for (std::int64_t group = 0; group < s.groups; ++group) {
      packed_weight_.pack_rows(group, 0, geometry_.outputs, weight + group * geometry_.outputs * geometry_.depth,
                               geometry_.depth, 1);
    }
  }

  void run() {
    const bool whole = pieces_.rows_step() == geometry_.rows;
    const PaddedBatch<T> batch(geometry_, input_, !whole);
    Scratch<T> bands(whole || gradients_.input == nullptr ? 0 : pieces_.count() * image_size());
    WeightGradient<T> weight_gradient(pieces_.count(), s_.o, geometry_.depth);
    parallel_for(pieces_.count(), [&](std::int64_t i) {
      run_piece(pieces_[i], whole ? nullptr : &batch, whole ? nullptr : bands.data() + i * image_size(),
                weight_gradient.chunk(i));
    });
    weight_gradient.write(gradients_.weight, gradients_.bias);
    if (gradients_.input == nullptr) return;
    if (pieces_.count() == 0) {
      std::memset(gradients_.input, 0, static_cast<std::size_t>(s_.n * s_.h * s_.w * s_.c) * sizeof(T));
    } else if (!whole) {
      const std::int64_t count = pieces_.count() / s_.n;
      parallel_for(s_.n,
                   [&](std::int64_t image) { write_input(image, bands.data() + image * count * image_size(), count); });
    }
  }

 private:
  using Chunk = typename WeightGradient<T>::Chunk;

  /// Many images: several whole ones per piece, whose gradients nobody else touches. Few: also bands of rows, each with
  /// an input gradient of its own, added afterwards.
  std::int64_t piece_target() const {
    const std::int64_t points = geometry_.rows * geometry_.columns;
    const std::int64_t pieces = s_.n >= many_images ? 64 : many_images, least = 384;
    const std::int64_t target = (s_.n * points + pieces - 1) / pieces;
    const std::int64_t whole = s_.n >= many_images && target < points ? points : target;
    return whole < least ? least : whole;
  }

  /// Elements of a padded input gradient. Pieces overrun it by up to a vector, so that it has its own room for that.
  std::int64_t image_size() const { return geometry_.padded.size() + lanes<T>; }

  void run_piece(const Piece& piece, const PaddedBatch<T>* batch, T* band, const Chunk& chunk) const {
    const bool panel_gradients = gradients_.input != nullptr || positions();
    PieceImage<T> piece_image(geometry_, input_, batch);
    SamplingPlan<T> plan(s_, most_);
    Scratch<T> panel(gradients_.weight == nullptr ? 0 : panel_size<T>(most_, geometry_.depth));
    Scratch<T> panel_gradient(panel_gradients ? s_.groups * panel_size<T>(most_, geometry_.depth) : 0);
    Scratch<T> own(gradients_.input == nullptr || band != nullptr ? 0 : image_size());
    Scratch<T> sums(positions() ? 4 * most_ * geometry_.entries : 0);
    T* const input_gradient = gradients_.input == nullptr ? nullptr : band != nullptr ? band : own.data();
    for (std::int64_t image = piece.image; image < piece.image + piece.images; ++image) {
      const T* const pixels = piece_image.load(image);
      if (input_gradient != nullptr) {
        std::memset(input_gradient, 0, static_cast<std::size_t>(image_size()) * sizeof(T));
      }
      for_image_blocks(geometry_, piece, image, most_, [&](const Block& block) {
        plan.make(block.begin, block.count, offset_ + 2 * block.entry, mask_ == nullptr ? nullptr : mask_ + block.entry,
                  Derivative::yes);
        if (gradients_.weight != nullptr) add_weight(block, plan, pixels, panel.data(), chunk);
        if (gradients_.bias != nullptr) chunk.add_bias(block.count, grad_output_ + block.pixel * s_.o);
        if (panel_gradients) fill_panel_gradient(block, panel_gradient.data());
        visit_taps(block, plan, pixels, panel_gradient.data(), input_gradient, sums.data());
        if (positions()) write_positions(block, plan, sums.data());
      });
      if (input_gradient != nullptr && band == nullptr) write_input(image, input_gradient, 1);
    }
  }

  bool positions() const { return gradients_.offset != nullptr || gradients_.mask != nullptr; }

  void add_weight(const Block& block, const SamplingPlan<T>& plan, const T* pixels, T* panel,
                  const Chunk& chunk) const {
    for (std::int64_t group = 0; group < s_.groups; ++group) {
      fill_panel(geometry_, group, plan, block.count, pixels, panel);
      chunk.add_weight(group * geometry_.outputs, geometry_.outputs, block.count, grad_output_ + block.pixel * s_.o,
                       panel);
    }
  }

  void fill_panel_gradient(const Block& block, T* to) const {
    for (std::int64_t group = 0; group < s_.groups; ++group) {
      gemm<T, Layout::rows>(block.count, stride_, geometry_.outputs,
                            grad_output_ + block.pixel * s_.o + group * geometry_.outputs, s_.o,
                            packed_weight_.matrix(group), nullptr, 0, to + group * group_size(), stride_);
    }
  }

  std::int64_t group_size() const { return panel_size<T>(most_, geometry_.depth); }

  /// Where the panel gradient of a point's tap has the channels of `segment`.
  const T* tap_gradient(const T* panel_gradient, const Segment& segment, std::int64_t point, std::int64_t tap) const {
    return panel_gradient + segment.group * group_size() + point * stride_ + tap * geometry_.inputs + segment.column;
  }

  /// Visits all entries of a block once, for what is wanted of: the four inner products of entry e, to sums[4 · e]; the
  /// samples' gradients, to the padded image at `input_gradient`.
  void visit_taps(const Block& block, const SamplingPlan<T>& plan, const T* pixels, const T* panel_gradient,
                  T* input_gradient, T* sums) const {
    with_usual_vectors<T>(geometry_, [&](auto vectors) {
      constexpr int n = decltype(vectors)::value;
      if (positions() && input_gradient != nullptr) {
        visit_taps<n, true, true>(block, plan, pixels, panel_gradient, input_gradient, sums);
      } else if (positions()) {
        visit_taps<n, true, false>(block, plan, pixels, panel_gradient, input_gradient, sums);
      } else if (input_gradient != nullptr) {
        visit_taps<n, false, true>(block, plan, pixels, panel_gradient, input_gradient, sums);
      }
    });
  }

  template <int vectors, bool with_sums, bool with_input>
  void visit_taps(const Block& block, const SamplingPlan<T>& plan, const T* pixels, const T* panel_gradient,
                  T* input_gradient, T* sums) const {
    const std::int64_t pixel = s_.c, row = geometry_.padded.row_size();
    const auto visit = [&](const T* gradient, std::int64_t at, const CornerWeights<T>& weights, auto keep,
                           CornerSums<T>& products) {
      const Vector<T> g = load(gradient);
      if constexpr (with_sums) multiply_corners<T>(g, pixels + at, pixel, row, keep, products);
      if constexpr (with_input) scatter<T>(g, weights, pixel, row, keep, input_gradient + at);
    };
    for_entries(block.count,
                [&](std::int64_t e, std::int64_t point, std::int64_t tap, const Segment* begin, const Segment* end) {
                  const CornerWeights<T> weights(plan, e);
                  const std::int64_t cell = plan.cell()[e];
                  CornerSums<T> products;
                  if constexpr (vectors > 0) {
                    const T* const gradient = panel_gradient + point * stride_ + tap * geometry_.inputs;
                    DEFT_UNROLL
                    for (int i = 0; i < vectors; ++i)
                      visit(gradient + i * lanes<T>, cell + i * lanes<T>, weights, KeepAll(), products);
                  } else {
                    for (const Segment* segment = begin; segment != end; ++segment) {
                      const T* const gradient = tap_gradient(panel_gradient, *segment, point, tap);
                      std::int64_t i = 0;
                      for (; i + lanes<T> <= segment->count; i += lanes<T>) {
                        visit(gradient + i, cell + segment->channel + i, weights, KeepAll(), products);
                      }
                      const std::int64_t rest = segment->count - i;
                      if (rest == 0) continue;
                      visit(
                          gradient + i, cell + segment->channel + i, weights,
                          [rest](Vector<T> v) { return first_lanes<T>(v, rest); }, products);
                    }
                  }
                  if constexpr (with_sums) {
                    store_sums<T>(products.at_00, products.at_01, products.at_10, products.at_11, sums + 4 * e);
                  }
                });
  }

  /// Calls body(entry, point, tap, first and last segment) for all entries of `points` points.
  template <class Body>
  void for_entries(std::int64_t points, Body&& body) const {
    const Segment* const last = geometry_.segments.data() + geometry_.segments.size();
    std::int64_t e = 0;
    for (std::int64_t point = 0; point < points; ++point) {
      const Segment* begin = geometry_.segments.data();
      for (std::int64_t offset_group = 0; offset_group < s_.offset_groups; ++offset_group) {
        const Segment* end = begin;
        while (end != last && end->offset_group == offset_group) ++end;
        for (std::int64_t tap = 0; tap < s_.taps(); ++tap) body(e++, point, tap, begin, end);
        begin = end;
      }
    }
  }

  /// Gradients of offset and mask, from the inner products with the corners.
  void write_positions(const Block& block, const SamplingPlan<T>& plan, const T* sums) const {
    const std::int64_t entries = block.count * geometry_.entries;
    const T *const ys = plan.y(), *const xs = plan.x();
    if (gradients_.offset != nullptr) {
      const T* const mask = mask_ == nullptr ? nullptr : mask_ + block.entry;
      T* const to = gradients_.offset + 2 * block.entry;
#pragma omp simd
      for (std::int64_t e = 0; e < entries; ++e) {
        const T factor = mask == nullptr ? T(1) : mask[e];
        const T at_00 = sums[4 * e], at_01 = sums[4 * e + 1], at_10 = sums[4 * e + 2], at_11 = sums[4 * e + 3];
        to[2 * e] = factor * ((1 - xs[e]) * (at_10 - at_00) + xs[e] * (at_11 - at_01));
        to[2 * e + 1] = factor * ((1 - ys[e]) * (at_01 - at_00) + ys[e] * (at_11 - at_10));
      }
    }
    if (gradients_.mask != nullptr) {
      T* const to = gradients_.mask + block.entry;
#pragma omp simd
      for (std::int64_t e = 0; e < entries; ++e) {
        const T low = (1 - xs[e]) * sums[4 * e] + xs[e] * sums[4 * e + 1];
        const T high = (1 - xs[e]) * sums[4 * e + 2] + xs[e] * sums[4 * e + 3];
        to[e] = (1 - ys[e]) * low + ys[e] * high;
      }
    }
  }

  /// Writes an image's input gradient, the sum of `count` padded ones.
  void write_input(std::int64_t image, const T* from, std::int64_t count) const {
    const std::int64_t row_elements = s_.w * s_.c;
    for (std::int64_t i = 0; i < s_.h; ++i) {
      T* const to = gradients_.input + (image * s_.h + i) * row_elements;
      const T* const first = from + (i + 1) * geometry_.padded.row_size() + s_.c;
      for (std::int64_t j = 0; j < row_elements; ++j) to[j] = first[j];
      for (std::int64_t band = 1; band < count; ++band) {
        for (std::int64_t j = 0; j < row_elements; ++j) to[j] += first[band * image_size() + j];
      }
    }
  }

  const DeformConv2dShape& s_;
  Geometry geometry_;
  const T *input_, *offset_, *mask_, *grad_output_;
  const DeformConv2dGradients<T>& gradients_;
  std::int64_t most_, stride_;
  Pieces pieces_;
  PackedWeight<T> packed_weight_;
};

}  // namespace
}  // namespace DEFT_SIMD

template <class T>
void deform_conv2d_forward(Cpu, const DeformConv2dShape& shape, const T* input, const T* offset, const T* mask,
                           const T* weight, const T* bias, T* output) {
  DEFT_SIMD::forward(shape, input, offset, mask, weight, bias, output);
}

template <class T>
void deform_conv2d_backward(Cpu, const DeformConv2dShape& shape, const T* input, const T* offset, const T* mask,
                            const T* weight, const T* grad_output, const DeformConv2dGradients<T>& gradients) {
  DEFT_SIMD::Backward<T>(shape, input, offset, mask, weight, grad_output, gradients).run();
}

#define DEFT_INSTANTIATE(T)                                                                                      \
  template void deform_conv2d_forward<T>(Cpu, const DeformConv2dShape&, const T*, const T*, const T*, const T*,  \
                                         const T*, T*);                                                          \
  template void deform_conv2d_backward<T>(Cpu, const DeformConv2dShape&, const T*, const T*, const T*, const T*, \
                                          const T*, const DeformConv2dGradients<T>&);
DEFT_INSTANTIATE(float)
DEFT_INSTANTIATE(double)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
