#include "deft/kernels/deform_conv2d.h"

#include "deft/kernels/cpu/conv_weight.h"
#include "deft/kernels/cpu/deform_panel.h"
#include "deft/kernels/cpu/gemm_micro.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/cpu/kernel.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

template <class T>
void forward(const DeformConv2dShape& s, const T* input, const T* offset, const T* mask, const T* weight, const T* bias,
             T* output) {
  const DeformGeometry geometry(s);
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

}  // namespace
}  // namespace DEFT_SIMD

using namespace DEFT_SIMD;

template <class T>
void deform_conv2d_forward(Set, const DeformConv2dShape& shape, const T* input, const T* offset, const T* mask,
                           const T* weight, const T* bias, T* output) {
  forward(shape, input, offset, mask, weight, bias, output);
}

#define DEFT_INSTANTIATE(T)                                                                                            \
  template void deform_conv2d_forward(Set, const DeformConv2dShape&, const T*, const T*, const T*, const T*, const T*, \
                                      T*);
DEFT_INSTANTIATE(float)
DEFT_INSTANTIATE(double)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
