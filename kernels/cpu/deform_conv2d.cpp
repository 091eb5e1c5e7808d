#include "deft/kernels/deform_conv2d.h"

#include <cstring>
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

/// Bilinear samples of `count` channels from the cell at `from`, times `factor`.
template <class T>
inline void sample(const T* from, std::int64_t pixel, std::int64_t row, T y, T x, T factor, std::int64_t count, T* to) {
  const Vector<T> weight_00 = broadcast((1 - y) * (1 - x)), weight_01 = broadcast((1 - y) * x);
  const Vector<T> weight_10 = broadcast(y * (1 - x)), weight_11 = broadcast(y * x);
  const Vector<T> scale = broadcast(factor);
  for (std::int64_t i = 0; i < count; i += lanes<T>) {
    const T* const corner = from + i;
    const Vector<T> value = weight_00 * load(corner) + weight_01 * load(corner + pixel) +
                            weight_10 * load(corner + row) + weight_11 * load(corner + row + pixel);
    store(to + i, value * scale);
  }
}

/// Fills the panel of `group` with the samples of the planned points. `mask` has the plan's entries, or is null.
template <class T>
void fill_panel(const Geometry& geometry, std::int64_t group, const SamplingPlan<T>& plan, std::int64_t count,
                const T* image, const T* mask, T* panel) {
  const std::int64_t taps = geometry.shape.taps(), stride = panel_stride<T>(geometry.depth);
  const Segment* const begin = geometry.segments.data() + geometry.first_segment[static_cast<std::size_t>(group)];
  const Segment* const end = geometry.segments.data() + geometry.first_segment[static_cast<std::size_t>(group) + 1];
  for (std::int64_t point = 0; point < count; ++point) {
    // Samples are written in whole vectors, so in the order in which they lie.
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      for (const Segment* segment = begin; segment != end; ++segment) {
        const std::int64_t e = point * geometry.entries + segment->offset_group * taps + tap;
        sample(image + plan.cell(e) + segment->channel, geometry.shape.c, geometry.padded.row_size(), plan.y(e),
               plan.x(e), mask == nullptr ? T(1) : mask[e], segment->count,
               panel + point * stride + tap * geometry.inputs + segment->column);
      }
    }
  }
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
        plan.make(block.begin, block.count, offset + 2 * block.entry, Derivative::no);
        for (std::int64_t group = 0; group < s.groups; ++group) {
          fill_panel(geometry, group, plan, block.count, pixels, mask == nullptr ? nullptr : mask + block.entry,
                     panel.data());
          gemm<T, Layout::rows>(block.count, geometry.outputs, depth, panel.data(), stride, packed_weight.matrix(group),
                                packed_weight.bias(group), 0, output + block.pixel * s.o + group * geometry.outputs,
                                s.o);
        }
      });
    }
  });
}

/// Inner products of the gradient of a sample with the four corners of its cell.
template <class T>
struct CornerProducts {
  Vector<T> at_00{}, at_01{}, at_10{}, at_11{};
};

/// Adds the inner products of `gradient` with the cell at `from`, over `count` channels.
template <class T>
inline void multiply_corners(const T* gradient, const T* from, std::int64_t pixel, std::int64_t row, std::int64_t count,
                             CornerProducts<T>& products) {
  const auto add = [&](std::int64_t i, auto keep) {
    const Vector<T> g = load(gradient + i);
    const T* const corner = from + i;
    products.at_00 += keep(g * load(corner));
    products.at_01 += keep(g * load(corner + pixel));
    products.at_10 += keep(g * load(corner + row));
    products.at_11 += keep(g * load(corner + row + pixel));
  };
  const std::int64_t whole = count / lanes<T> * lanes<T>;
  for (std::int64_t i = 0; i < whole; i += lanes<T>) add(i, [](Vector<T> v) { return v; });
  if (whole < count) add(whole, [&](Vector<T> v) { return first_lanes<T>(v, count - whole); });
}

/// Adds `factor` times the gradient of a sample to the four corners of the cell at `to`.
template <class T>
inline void scatter(const T* gradient, std::int64_t pixel, std::int64_t row, T y, T x, T factor, std::int64_t count,
                    T* to) {
  const Vector<T> weight_00 = broadcast((1 - y) * (1 - x) * factor), weight_01 = broadcast((1 - y) * x * factor);
  const Vector<T> weight_10 = broadcast(y * (1 - x) * factor), weight_11 = broadcast(y * x * factor);
  const auto add = [&](std::int64_t i, auto keep) {
    const Vector<T> g = load(gradient + i);
    T* const corner = to + i;
    store(corner, load(corner) + keep(weight_00 * g));
    store(corner + pixel, load(corner + pixel) + keep(weight_01 * g));
    store(corner + row, load(corner + row) + keep(weight_10 * g));
    store(corner + row + pixel, load(corner + row + pixel) + keep(weight_11 * g));
  };
  const std::int64_t whole = count / lanes<T> * lanes<T>;
  for (std::int64_t i = 0; i < whole; i += lanes<T>) add(i, [](Vector<T> v) { return v; });
  if (whole < count) add(whole, [&](Vector<T> v) { return first_lanes<T>(v, count - whole); });
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
    T* const input_gradient = gradients_.input == nullptr ? nullptr : band != nullptr ? band : own.data();
    for (std::int64_t image = piece.image; image < piece.image + piece.images; ++image) {
      const T* const pixels = piece_image.load(image);
      if (input_gradient != nullptr) {
        std::memset(input_gradient, 0, static_cast<std::size_t>(image_size()) * sizeof(T));
      }
      for_image_blocks(geometry_, piece, image, most_, [&](const Block& block) {
        plan.make(block.begin, block.count, offset_ + 2 * block.entry, Derivative::yes);
        if (gradients_.weight != nullptr) add_weight(block, plan, pixels, panel.data(), chunk);
        if (gradients_.bias != nullptr) chunk.add_bias(block.count, grad_output_ + block.pixel * s_.o);
        if (panel_gradients) fill_panel_gradient(block, panel_gradient.data());
        if (positions()) add_positions(block, plan, pixels, panel_gradient.data());
        if (input_gradient != nullptr) add_input(block, plan, panel_gradient.data(), input_gradient);
      });
      if (input_gradient != nullptr && band == nullptr) write_input(image, input_gradient, 1);
    }
  }

  bool positions() const { return gradients_.offset != nullptr || gradients_.mask != nullptr; }

  T factor(std::int64_t entry) const { return mask_ == nullptr ? T(1) : mask_[entry]; }

  void add_weight(const Block& block, const SamplingPlan<T>& plan, const T* pixels, T* panel,
                  const Chunk& chunk) const {
    for (std::int64_t group = 0; group < s_.groups; ++group) {
      fill_panel(geometry_, group, plan, block.count, pixels, mask_ == nullptr ? nullptr : mask_ + block.entry, panel);
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

  /// Gradients of offset and mask.
  void add_positions(const Block& block, const SamplingPlan<T>& plan, const T* pixels, const T* panel_gradient) const {
    const std::int64_t taps = s_.taps(), row = geometry_.padded.row_size();
    for (std::int64_t point = 0; point < block.count; ++point) {
      auto segment = geometry_.segments.begin();
      for (std::int64_t offset_group = 0; offset_group < s_.offset_groups; ++offset_group) {
        auto end = segment;
        while (end != geometry_.segments.end() && end->offset_group == offset_group) ++end;
        for (std::int64_t tap = 0; tap < taps; ++tap) {
          const std::int64_t e = point * geometry_.entries + offset_group * taps + tap;
          CornerProducts<T> products;
          for (auto part = segment; part != end; ++part) {
            multiply_corners(tap_gradient(panel_gradient, *part, point, tap), pixels + plan.cell(e) + part->channel,
                             s_.c, row, part->count, products);
          }
          write_positions(block.entry + e, plan.y(e), plan.x(e), products);
        }
        segment = end;
      }
    }
  }

  void write_positions(std::int64_t entry, T y, T x, const CornerProducts<T>& products) const {
    const T at_00 = sum<T>(products.at_00), at_01 = sum<T>(products.at_01);
    const T at_10 = sum<T>(products.at_10), at_11 = sum<T>(products.at_11);
    if (gradients_.offset != nullptr) {
      gradients_.offset[2 * entry] = factor(entry) * ((1 - x) * (at_10 - at_00) + x * (at_11 - at_01));
      gradients_.offset[2 * entry + 1] = factor(entry) * ((1 - y) * (at_01 - at_00) + y * (at_11 - at_10));
    }
    if (gradients_.mask != nullptr) {
      gradients_.mask[entry] = (1 - y) * ((1 - x) * at_00 + x * at_01) + y * ((1 - x) * at_10 + x * at_11);
    }
  }

  void add_input(const Block& block, const SamplingPlan<T>& plan, const T* panel_gradient, T* input_gradient) const {
    const std::int64_t taps = s_.taps(), row = geometry_.padded.row_size();
    for (const Segment& segment : geometry_.segments) {
      for (std::int64_t point = 0; point < block.count; ++point) {
        const std::int64_t first = point * geometry_.entries + segment.offset_group * taps;
        for (std::int64_t tap = 0; tap < taps; ++tap) {
          const std::int64_t e = first + tap;
          scatter(tap_gradient(panel_gradient, segment, point, tap), s_.c, row, plan.y(e), plan.x(e),
                  factor(block.entry + e), segment.count, input_gradient + plan.cell(e) + segment.channel);
        }
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
