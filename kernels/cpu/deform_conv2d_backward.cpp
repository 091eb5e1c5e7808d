#include "deft/kernels/cpu/conv_weight.h"
#include "deft/kernels/cpu/deform_panel.h"
#include "deft/kernels/cpu/deform_visit.h"
#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/deform_conv2d.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/cpu/kernel.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

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
    PieceImage<T> piece_image(geometry_, input_, batch);
    SamplingPlan<T> plan(s_, most_);
    Scratch<T> panels(s_.groups * group_size());
    Scratch<T> own(gradients_.input == nullptr || band != nullptr ? 0 : image_size());
    const std::int64_t sums_size = positions() ? lanes<T> * (geometry_.entries + 1) * parts_size<T> : 0;
    Scratch<T> sums(sums_size);
    clear(sums.data(), sums_size);  // what they stay where there are no channels
    T* const input_gradient = gradients_.input == nullptr ? nullptr : band != nullptr ? band : own.data();
    for (std::int64_t image = piece.image; image < piece.image + piece.images; ++image) {
      const T* const pixels = piece_image.load(image);
      if (input_gradient != nullptr) clear(input_gradient, image_size());
      for_image_blocks(geometry_, piece, image, most_, [&](const Block& block) {
        plan.make(block.begin, block.count, offset_ + 2 * block.entry, at_entry(mask_, block), Derivative::yes);
        visit_block(block, plan, pixels, panels.data(), sums.data(), input_gradient);
        if (gradients_.weight != nullptr) add_weight(block, panels.data(), chunk);
        if (gradients_.bias != nullptr) chunk.add_bias(block.count, grad_output_ + block.pixel * s_.o);
      });
      if (input_gradient == nullptr || band != nullptr) continue;
      for (std::int64_t row = 0; row < s_.h; ++row) write_input_row(image, row, input_gradient, 1);
    }
  }

  bool positions() const { return gradients_.offset != nullptr || gradients_.mask != nullptr; }

  template <class Pointer>
  static Pointer at_entry(Pointer array, const Block& block, std::int64_t size = 1) {
    return array == nullptr ? nullptr : array + size * block.entry;
  }

  std::int64_t group_size() const { return panel_size<T>(most_, geometry_.depth); }

  /// Leaves the samples of a block in `panels` if the weight's gradient needs them, and computes all gradients but
  /// those of weight and bias.
  void visit_block(const Block& block, const SamplingPlan<T>& plan, const T* pixels, T* panels, T* sums,
                   T* input_gradient) const {
    if (input_gradient == nullptr && !positions()) {
      for (std::int64_t group = 0; group < s_.groups && gradients_.weight != nullptr; ++group) {
        fill_panel(geometry_, group, plan, block.count, pixels, panels + group * group_size());
      }
      return;
    }
    for (std::int64_t group = 0; group < s_.groups; ++group) {
      gemm<T, Layout::rows>(block.count, stride_, geometry_.outputs,
                            grad_output_ + block.pixel * s_.o + group * geometry_.outputs, s_.o,
                            packed_weight_.matrix(group), nullptr, 0, panels + group * group_size(), stride_);
    }
    visit_panels(geometry_, {s_.c, geometry_.padded.row_size(), pixels, input_gradient}, plan, block.count,
                 group_size(), panels, sums, {gradients_.weight != nullptr, positions(), input_gradient != nullptr},
                 {at_entry(mask_, block), at_entry(gradients_.offset, block, 2), at_entry(gradients_.mask, block)});
  }

  void add_weight(const Block& block, const T* panels, const Chunk& chunk) const {
    for (std::int64_t group = 0; group < s_.groups; ++group) {
      chunk.add_weight(group * geometry_.outputs, geometry_.outputs, block.count, grad_output_ + block.pixel * s_.o,
                       panels + group * group_size());
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
}  // namespace DEFT_SIMD

using namespace DEFT_SIMD;

template <class T>
void deform_conv2d_backward(Set, const DeformConv2dShape& shape, const T* input, const T* offset, const T* mask,
                            const T* weight, const T* grad_output, const DeformConv2dGradients<T>& gradients) {
  Backward<T>(shape, input, offset, mask, weight, grad_output, gradients).run();
}

#define DEFT_INSTANTIATE(T)                                                                                   \
  template void deform_conv2d_backward(Set, const DeformConv2dShape&, const T*, const T*, const T*, const T*, \
                                       const T*, const DeformConv2dGradients<T>&);
DEFT_INSTANTIATE(float)
DEFT_INSTANTIATE(double)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
