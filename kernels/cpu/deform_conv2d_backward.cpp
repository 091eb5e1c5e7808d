#include "deft/kernels/allocator.h"
#include "deft/kernels/cpu/conv_weight.h"
#include "deft/kernels/cpu/deform_panel.h"
#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/deform_conv2d.h"
#include "deft/kernels/cpu/kernel.h"
#include "deft/kernels/parallel_for.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

/// Inner products of a sample's gradient with the four corners of its cell, in parts.
template <class T>
struct CornerSums {
  Vector<T> at_00 = {}, at_01 = {}, at_10 = {}, at_11 = {};
};

/// What happens at the cell of a tap, given the gradient of its sample: with `with_sums` the inner products with the
/// corners are added up, with `with_input` the gradient, weighted, is added to the corners of the padded input gradient.
/// `pixel` and `row` are the distances between corners.
template <class T, bool with_sums, bool with_input>
struct CellVisitor {
  std::int64_t pixel, row;
  const T* pixels;    // padded image
  T* input_gradient;  // padded too

  /// Visits a number of whole vectors of channels.
  template <int vectors>
  void visit(const T* gradient, std::int64_t cell, const CornerWeights<T>& weights, CornerSums<T>& sums) const {
    DEFT_UNROLL
    for (int i = 0; i < vectors; ++i) {
      visit_vector(
          gradient + i * lanes<T>, cell + i * lanes<T>, weights, [](Vector<T> v) { return v; }, sums);
    }
  }

  /// Visits any number of channels.
  void visit(const T* gradient, std::int64_t cell, std::int64_t count, const CornerWeights<T>& weights,
             CornerSums<T>& sums) const {
    if (count < 4) {
      for (std::int64_t i = 0; i < count; ++i) visit_element(gradient[i], cell + i, weights, sums);
      return;
    }
    std::int64_t i = 0;
    for (; i + lanes<T> <= count; i += lanes<T>) visit<1>(gradient + i, cell + i, weights, sums);
    const std::int64_t rest = count - i;
    if (rest == 0) return;
    visit_vector(
        gradient + i, cell + i, weights, [rest](Vector<T> v) { return first_lanes<T>(v, rest); }, sums);
  }

 private:
  template <class Keep>
  void visit_vector(const T* gradient, std::int64_t cell, const CornerWeights<T>& weights, Keep keep,
                    CornerSums<T>& sums) const {
    const Vector<T> g = load(gradient);
    if constexpr (with_sums) {
      const T* const from = pixels + cell;
      sums.at_00 += keep(g * load(from));
      sums.at_01 += keep(g * load(from + pixel));
      sums.at_10 += keep(g * load(from + row));
      sums.at_11 += keep(g * load(from + row + pixel));
    }
    if constexpr (with_input) {
      T* const to = input_gradient + cell;
      store(to, load(to) + keep(weights.at_00 * g));
      store(to + pixel, load(to + pixel) + keep(weights.at_01 * g));
      store(to + row, load(to + row) + keep(weights.at_10 * g));
      store(to + row + pixel, load(to + row + pixel) + keep(weights.at_11 * g));
    }
  }

  /// One channel by itself: vectors at neighbouring pixels would overlap, and wait for each other's writes.
  void visit_element(T g, std::int64_t cell, const CornerWeights<T>& weights, CornerSums<T>& sums) const {
    if constexpr (with_sums) {
      const T* const from = pixels + cell;
      sums.at_00[0] += g * from[0];
      sums.at_01[0] += g * from[pixel];
      sums.at_10[0] += g * from[row];
      sums.at_11[0] += g * from[row + pixel];
    }
    if constexpr (with_input) {
      T* const to = input_gradient + cell;
      to[0] += weights.at_00[0] * g;
      to[pixel] += weights.at_01[0] * g;
      to[row] += weights.at_10[0] * g;
      to[row + pixel] += weights.at_11[0] * g;
    }
  }
};

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
    WeightGradient<T> weight_gradient(pieces_.count(), s_.o, geometry_.depth, gradients_.weight, gradients_.bias);
    parallel_for(pieces_.count(), [&](std::int64_t i) {
      T* const band = bands.data() == nullptr ? nullptr : bands.data() + i * image_size();
      run_piece(pieces_[i], whole ? nullptr : &batch, band, weight_gradient.chunk(i));
    });
    weight_gradient.finish();
    if (gradients_.input == nullptr) return;
    if (pieces_.count() == 0) {
      clear(gradients_.input, s_.n * s_.h * s_.w * s_.c);
    } else if (!whole) {
      const std::int64_t count = pieces_.count() / s_.n;
      parallel_for(s_.n * s_.h, [&](std::int64_t i) {
        const std::int64_t image = i / s_.h;
        write_input_row(image, i % s_.h, bands.data() + image * count * image_size(), count);
      });
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
      if (input_gradient != nullptr) clear(input_gradient, image_size());
      for_image_blocks(geometry_, piece, image, most_, [&](const Block& block) {
        plan.make(block.begin, block.count, offset_ + 2 * block.entry, mask_ == nullptr ? nullptr : mask_ + block.entry,
                  Derivative::yes);
        if (gradients_.weight != nullptr) add_weight(block, plan, pixels, panel.data(), chunk);
        if (gradients_.bias != nullptr) chunk.add_bias(block.count, grad_output_ + block.pixel * s_.o);
        if (panel_gradients) fill_panel_gradient(block, panel_gradient.data());
        visit_taps(block, plan, pixels, panel_gradient.data(), input_gradient, sums.data());
        if (positions()) write_positions(block, plan, sums.data());
      });
      if (input_gradient == nullptr || band != nullptr) continue;
      for (std::int64_t row = 0; row < s_.h; ++row) write_input_row(image, row, input_gradient, 1);
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
    const CellVisitor<T, with_sums, with_input> visitor{s_.c, geometry_.padded.row_size(), pixels, input_gradient};
    const Segment* const last = geometry_.segments.data() + geometry_.segments.size();
    std::int64_t e = 0;
    for (std::int64_t point = 0; point < block.count; ++point) {
      const Segment* begin = geometry_.segments.data();
      for (std::int64_t offset_group = 0; offset_group < s_.offset_groups; ++offset_group) {
        const Segment* end = begin;
        while (end != last && end->offset_group == offset_group) ++end;
        for (std::int64_t tap = 0; tap < s_.taps(); ++tap, ++e) {
          const CornerWeights<T> weights(plan, e);
          CornerSums<T> products;
          if constexpr (vectors > 0) {
            visitor.template visit<vectors>(tap_gradient(panel_gradient, *begin, point, tap), plan.cell()[e], weights,
                                            products);
          } else {
            for (const Segment* segment = begin; segment != end; ++segment) {
              visitor.visit(tap_gradient(panel_gradient, *segment, point, tap), plan.cell()[e] + segment->channel,
                            segment->count, weights, products);
            }
          }
          if constexpr (with_sums) {
            store_sums<T>(products.at_00, products.at_01, products.at_10, products.at_11, sums + 4 * e);
          }
        }
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

  /// Writes a row of an image's input gradient, the sum of `count` padded ones.
  void write_input_row(std::int64_t image, std::int64_t row, const T* from, std::int64_t count) const {
    const std::int64_t elements = s_.w * s_.c;
    T* const to = gradients_.input + (image * s_.h + row) * elements;
    const T* const first = from + (row + 1) * geometry_.padded.row_size() + s_.c;
    for (std::int64_t i = 0; i < elements; ++i) to[i] = first[i];
    for (std::int64_t band = 1; band < count; ++band) {
      for (std::int64_t i = 0; i < elements; ++i) to[i] += first[band * image_size() + i];
    }
  }

  const DeformConv2dShape& s_;
  DeformGeometry geometry_;
  const T *input_, *offset_, *mask_, *grad_output_;
  const DeformConv2dGradients<T>& gradients_;
  std::int64_t most_, stride_;
  Pieces pieces_;
  PackedWeight<T> packed_weight_;
};

}  // namespace

template <class T>
void deform_conv2d_backward(Cpu, const DeformConv2dShape& shape, const T* input, const T* offset, const T* mask,
                            const T* weight, const T* grad_output, const DeformConv2dGradients<T>& gradients) {
  Backward<T>(shape, input, offset, mask, weight, grad_output, gradients).run();
}

}  // namespace DEFT_SIMD

#define DEFT_INSTANTIATE(T)                                                                                      \
  DEFT_KERNEL(void, deform_conv2d_backward, Cpu, const DeformConv2dShape&, const T*, const T*, const T*, const T*, const T*, const DeformConv2dGradients<T>&)
DEFT_INSTANTIATE(float)
DEFT_INSTANTIATE(double)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
