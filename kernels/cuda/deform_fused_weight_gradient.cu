#include <algorithm>
#include <type_traits>

#include "deft/kernels/cuda/deform_fused.h"
#include "deft/kernels/cuda/deform_sampler.h"
#include "deft/kernels/cuda/tile_pipeline.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/reduce.h"
#include "deft/kernels/runtime/cuda/scratch.h"
#include "deft/kernels/runtime/precision.h"

namespace deft::kernels {
namespace cuda_deform_fused {

/// Columns of a group's panel that a tile covers, counted from the first channel of `first_tap`, and the offset groups
/// they use.
struct PanelColumns {
  int first_tap, taps, begin;
  OffsetGroups groups;

  DEFT_HOST_DEVICE PanelColumns(const ConvGeometry& g, int group, int column, int columns) {
    const int inputs = static_cast<int>(g.inputs), depth = static_cast<int>(g.depth);
    const int last = (column + columns < depth ? column + columns : depth) - 1;
    first_tap = column / inputs;
    taps = last / inputs - first_tap + 1;
    begin = column - first_tap * inputs;
    groups = taps == 1 ? offset_groups_of(g, group * inputs + begin, last - column + 1)
                       : offset_groups_of(g, group * inputs, inputs);
  }
};

/// Brings tiles of the output's gradient and of the panel, sampled here: a chunk is tile_depth output pixels.
template <class Product, int width>
class WeightGradientSource {
  using T = typename Product::Element;
  static constexpr int rows = Product::rows, columns = Product::columns, threads = Product::threads;
  static constexpr int left_stride = wide_stride<rows>, right_stride = wide_stride<columns>;

 public:
  using Parts = ChunkParts<Product, TileLanes<tile_depth, columns, threads, width>::slots>;
  static constexpr int elements = 2 * tile_depth * (left_stride + right_stride);

  __device__ WeightGradientSource(const ConvGeometry& g, const T* input, const SamplingPlan<T>& plan, int first_channel,
                                  const PanelColumns& panel, T* shared)
      : g_(g), sampler_(g, input, first_channel, panel.groups), plan_(plan), shared_(shared) {
    sampler_.place(panel.begin, panel.taps);
  }

  /// Turns to the planned pixels, whose gradients stand at `grad_output` [pixels, length].
  __device__ void turn_to(const T* grad_output, int pixels, int length) {
    grad_output_ = grad_output;
    pixels_ = pixels;
    length_ = length;
  }

  __device__ void begin(int chunk, int buffer) {
    from_ = chunk * tile_depth;
    copy_tile<tile_depth, rows, left_stride, threads, width>(grad_output_ + from_ * g_.shape.o, g_.shape.o,
                                                             pixels_ - from_, length_, left(buffer));
  }
  __device__ void fetch(int part) { sampler_.fetch(plan_.from(from_), part * Parts::slots_of_each); }
  __device__ void store(int part, int buffer) {
    sampler_.store(plan_.from(from_), part * Parts::slots_of_each, right(buffer), Product::rounded);
  }

  __device__ T* left(int buffer) const { return shared_ + buffer * tile_depth * left_stride; }
  __device__ T* right(int buffer) const { return shared_ + tile_depth * (2 * left_stride + buffer * right_stride); }

 private:
  const ConvGeometry& g_;
  TileSampler<T, tile_depth, columns, right_stride, threads, width, Parts::slots_of_each> sampler_;
  const SamplingPlan<T>& plan_;
  T* shared_;
  const T* grad_output_ = nullptr;
  int from_ = 0, pixels_ = 0, length_ = 0;
};

/// How the sum over the output pixels is cut: each block takes `pixels` of them, and has the plan of `window` in shared
/// memory.
struct PixelSplit {
  std::int64_t pixels;
  int window, plan_stride;
};

/// to[split] [o, depth] = the share of a part of the output pixels in the weight's gradient.
template <class Product, int resident_blocks, int width, class T>
__global__ void __launch_bounds__(Product::threads, resident_blocks)
    deform_fused_weight_gradient_kernel(ConvGeometry g, PixelSplit split, const T* input, TapOffsets<T> offsets,
                                        const T* grad_output, T* to) {
  using Source = WeightGradientSource<Product, width>;
  const int outputs = static_cast<int>(g.outputs), inputs = static_cast<int>(g.inputs);
  const int depth = static_cast<int>(g.depth), channel_groups = static_cast<int>(g.shape.groups);
  const int column_tiles = (depth + Product::columns - 1) / Product::columns;
  const int row_tiles = (outputs + Product::rows - 1) / Product::rows;
  const int block = static_cast<int>(blockIdx.x), tile = block / column_tiles, part = tile / row_tiles;
  const int column = (block - tile * column_tiles) * Product::columns, row = (tile - part * row_tiles) * Product::rows;
  const int piece = part / channel_groups, group = part - piece * channel_groups;
  const int output_channel = group * outputs + row;
  const PanelColumns panel(g, group, column, Product::columns);

  T* const shared = dynamic_shared<T>();
  const SamplingPlan<T> plan(shared + Source::elements, split.window, split.plan_stride);
  Source source(g, input, plan, group * inputs, panel, shared);
  Product product;
  const std::int64_t begin = piece * split.pixels;
  const int count = static_cast<int>(min(split.pixels, g.points - begin));
  for (int at = 0; at < count; at += split.window) {
    const std::int64_t first = begin + at;
    const int pixels = min(split.window, count - at);
    const int chunks = (pixels + tile_depth - 1) / tile_depth;
    plan.fill(g, offsets, first, chunks * tile_depth, panel.groups, panel.first_tap, panel.taps);
    __syncthreads();
    source.turn_to(grad_output + first * g.shape.o + output_channel, pixels, outputs - row);
    add_chunks(product, source, chunks);
  }
  const T* const no_bias = nullptr;
  T* const share = to + piece * g.shape.o * g.depth;
  write_product(product, no_bias, share + output_channel * g.depth + column, g.depth, outputs - row, depth - column);
}

}  // namespace cuda_deform_fused

namespace {

using cuda_deform_fused::deform_fused_weight_gradient_kernel;
using cuda_deform_fused::PanelColumns;
using cuda_deform_fused::PixelSplit;
using cuda_deform_fused::WeightGradientSource;

/// Calls body(tiling) with what suits a convolution: as many rows as it has output channels, so that no sample is taken
/// twice.
template <class T, class Body>
bool with_tiling(const Context& context, const ConvGeometry& g, const Body& body) {
  constexpr TileForm form = TileForm::wide;
  if constexpr (std::is_same_v<T, double>) {
    return body(Tiling<FmaProduct<T, form, 64, 32, 4, 4>, 3>());
  } else if (matmul_precision() == MatmulPrecision::tf32 && has_tf32(context)) {
    if (g.outputs <= 32) return body(Tiling<Tf32Product<form, Raw::left, 32, 128, 32, 32>, 4>());
    if (g.outputs <= 64) return body(Tiling<Tf32Product<form, Raw::left, 64, 128, 32, 32>, 2>());
    return body(Tiling<Tf32Product<form, Raw::left, 128, 64, 64, 32>, 3>());
  } else {
    if (g.outputs <= 32) return body(Tiling<FmaProduct<T, form, 32, 128, 4, 8>, 4>());
    if (g.outputs <= 64) return body(Tiling<FmaProduct<T, form, 64, 128, 8, 8>, 3>());
    return body(Tiling<FmaProduct<T, form, 128, 64, 8, 8>, 3>());
  }
}

/// Entries of a pixel in the largest plan that a tile of the panel's columns needs.
std::int64_t most_entries(const ConvGeometry& g, int columns) {
  int most = 0;
  for (int group = 0; group < g.shape.groups; ++group) {
    for (int column = 0; column < g.depth; column += columns) {
      const PanelColumns panel(g, group, column, columns);
      most = std::max(most, panel.taps * panel.groups.count);
    }
  }
  return most;
}

/// Cuts the output pixels for `tiles` blocks to each part. The parts do not depend on the GPU, so that the sums do not
/// either.
template <class T>
PixelSplit split_pixels(const Context& context, const ConvGeometry& g, std::int64_t tiles, std::int64_t entries,
                        std::size_t tile_bytes) {
  constexpr std::int64_t blocks = 512, fewest_pixels = 256, most_sum_bytes = 64 << 20;
  constexpr std::int64_t usual_plan_bytes = 24 << 10, most_window = 128;
  const std::int64_t sum_bytes = g.shape.o * g.depth * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t parts =
      std::max<std::int64_t>(std::min({blocks / tiles, g.points / fewest_pixels, most_sum_bytes / sum_bytes}), 1);
  const auto whole_chunks = [](std::int64_t pixels) { return (pixels + tile_depth - 1) / tile_depth * tile_depth; };
  PixelSplit split{whole_chunks((g.points + parts - 1) / parts), 0, SamplingPlan<T>::stride_for(entries)};
  const std::int64_t pixel_bytes = split.plan_stride * SamplingPlan<T>::entry_bytes;
  const std::int64_t window = std::clamp<std::int64_t>(usual_plan_bytes / pixel_bytes, tile_depth, most_window);
  split.window = static_cast<int>(window / tile_depth * tile_depth);
  const bool fits = tile_bytes + split.window * pixel_bytes <= context.shared_bytes_per_block;
  if (!fits) split.window = 0;
  return split;
}

template <class Tiling, int width, class T>
bool launch_weight_gradient(Context& context, const ConvGeometry& g, const T* input, const TapOffsets<T>& offsets,
                            const T* grad_output, T* grad_weight) {
  using Product = typename Tiling::Product;
  constexpr std::size_t tile_bytes = WeightGradientSource<Product, width>::elements * sizeof(T);
  const std::int64_t tiles = (g.outputs + Product::rows - 1) / Product::rows * g.shape.groups *
                             ((g.depth + Product::columns - 1) / Product::columns);
  const PixelSplit split = split_pixels<T>(context, g, tiles, most_entries(g, Product::columns), tile_bytes);
  const std::int64_t parts = (g.points + split.pixels - 1) / split.pixels;
  if (split.window == 0 || std::max(tiles * parts, split.pixels) > INT32_MAX) return false;
  const std::int64_t elements = g.shape.o * g.depth;
  const DeviceScratch<T> sums(Cuda{context.index}, parts > 1 ? parts * elements : 0);
  launch(deform_fused_weight_gradient_kernel<Product, Tiling::resident_blocks, width, T>, Grid(tiles * parts),
         Product::threads, tile_bytes + split.window * split.plan_stride * SamplingPlan<T>::entry_bytes, context.stream,
         g, split, input, offsets, grad_output, parts > 1 ? sums.data() : grad_weight);
  if (parts > 1) {
    Strided<2> rows;
    rows.add_axis(parts, {elements, 0});
    rows.add_axis(elements, {1, 1});
    reduce<T>(Cuda{context.index}, ReduceOp::sum, rows, sums.data(), grad_weight);
  }
  return true;
}

}  // namespace

template <class T>
bool fused_deform_weight_gradient(Context& context, const ConvGeometry& g, const T* input, const TapOffsets<T>& offsets,
                                  const T* grad_output, T* grad_weight) {
  if (!fused_deform_wanted(g)) return false;
  return with_tiling<T>(context, g, [&](auto tiling) {
    constexpr int width = pack_width<T>;
    if (packs_fit(g, input) && packs_fit<width>(g.outputs, grad_output)) {
      return launch_weight_gradient<decltype(tiling), width>(context, g, input, offsets, grad_output, grad_weight);
    }
    return launch_weight_gradient<decltype(tiling), 1>(context, g, input, offsets, grad_output, grad_weight);
  });
}

#define DEFT_FLOATING(T)                                                                                       \
  template bool fused_deform_weight_gradient<T>(Context&, const ConvGeometry&, const T*, const TapOffsets<T>&, \
                                                const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
