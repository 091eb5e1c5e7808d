#include <algorithm>
#include <type_traits>

#include "deft/kernels/cuda/deform_algorithm.h"
#include "deft/kernels/cuda/deform_fused.h"
#include "deft/kernels/cuda/deform_sampler.h"
#include "deft/kernels/cuda/tile_pipeline.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/precision.h"

namespace deft::kernels {
namespace cuda_deform_fused {

/// Brings tiles of the panel, sampled here, and of the weights.
template <class Product, int width>
class ForwardSource {
  using T = typename Product::Element;
  static constexpr int rows = Product::rows, columns = Product::columns, threads = Product::threads;
  static constexpr int stride = narrow_stride<T>;

 public:
  using Parts = ChunkParts<Product, TileLanes<rows, tile_depth, threads, width>::slots>;
  /// Elements of shared memory: two chunks of each operand.
  static constexpr int elements = 2 * (rows + columns) * stride;

  /// Of channels from `first_channel` on, with the group's offset groups.
  __device__ ForwardSource(const ConvGeometry& g, const T* input, const SamplingPlan<T>& plan, int first_channel,
                           OffsetGroups groups, T* shared)
      : g_(g), sampler_(g, input, first_channel, groups), plan_(plan), shared_(shared) {}

  /// Turns to the planned taps, `depth` columns of the panel, and their weights at `weight` [height, depth].
  __device__ void turn_to(int taps, const T* weight, int height, int depth) {
    taps_ = taps;
    weight_ = weight;
    height_ = height;
    depth_ = depth;
  }

  __device__ void begin(int chunk, int buffer) {
    const int from = chunk * tile_depth;
    sampler_.place(from, taps_);
    copy_tile<columns, tile_depth, stride, threads, width>(weight_ + from, g_.depth, height_, depth_ - from,
                                                           right(buffer));
  }
  __device__ void fetch(int part) { sampler_.fetch(plan_, part * Parts::slots_of_each); }
  __device__ void store(int part, int buffer) {
    sampler_.store(plan_, part * Parts::slots_of_each, left(buffer), Product::rounded);
  }

  __device__ T* left(int buffer) const { return shared_ + buffer * rows * stride; }
  __device__ T* right(int buffer) const { return shared_ + 2 * rows * stride + buffer * columns * stride; }

 private:
  const ConvGeometry& g_;
  TileSampler<T, rows, tile_depth, stride, threads, width, Parts::slots_of_each> sampler_;
  const SamplingPlan<T>& plan_;
  T* shared_;
  const T* weight_ = nullptr;
  int taps_ = 0, height_ = 0, depth_ = 0;
};

/// The plan of `window` taps is in shared memory at a time.
template <class Product, int resident_blocks, int width, class T>
__global__ void __launch_bounds__(Product::threads, resident_blocks)
    deform_fused_forward_kernel(ConvGeometry g, int window, int plan_stride, const T* input, TapOffsets<T> offsets,
                                const T* weight, const T* bias, T* output) {
  using Source = ForwardSource<Product, width>;
  const int taps = static_cast<int>(g.taps), inputs = static_cast<int>(g.inputs);
  const int outputs = static_cast<int>(g.outputs), channel_groups = static_cast<int>(g.shape.groups);
  const int column_tiles = (outputs + Product::columns - 1) / Product::columns;
  const int block = static_cast<int>(blockIdx.x), slice = block / column_tiles, pixel_tile = slice / channel_groups;
  const int group = slice - pixel_tile * channel_groups, column = (block - slice * column_tiles) * Product::columns;
  const int output_channel = group * outputs + column;
  const std::int64_t first = static_cast<std::int64_t>(pixel_tile) * Product::rows;
  const OffsetGroups groups = offset_groups_of(g, group * inputs, inputs);

  T* const shared = dynamic_shared<T>();
  const SamplingPlan<T> plan(shared + Source::elements, Product::rows, plan_stride);
  Source source(g, input, plan, group * inputs, groups, shared);
  Product product;
  for (int tap = 0; tap < taps; tap += window) {
    const int planned = min(window, taps - tap), depth = planned * inputs;
    plan.fill(g, offsets, first, Product::rows, groups, tap, planned);
    __syncthreads();
    source.turn_to(planned, weight + output_channel * g.depth + tap * inputs, outputs - column, depth);
    add_chunks(product, source, (depth + tile_depth - 1) / tile_depth);
  }
  write_product(product, bias == nullptr ? nullptr : bias + output_channel, output + first * g.shape.o + output_channel,
                g.shape.o, g.points - first, outputs - column);
}

}  // namespace cuda_deform_fused

namespace {

using cuda_deform_fused::deform_fused_forward_kernel;
using cuda_deform_fused::ForwardSource;

/// Calls body(tiling) with what suits a convolution: as wide as its output channels, so that no sample is taken twice,
/// but small where there would be fewer blocks than multiprocessors.
template <class T, int width, class Body>
bool with_tiling(const Context& context, const ConvGeometry& g, const Body& body) {
  constexpr TileForm form = TileForm::narrow;
  const bool few = g.points * g.shape.groups < 128 * std::int64_t{context.multiprocessors};
  const bool wide = width > 1 && g.outputs > 64;
  if constexpr (std::is_same_v<T, double>) {
    return body(Tiling<FmaProduct<T, form, 64, 32, 4, 4>, 3>());
  } else if (matmul_precision() == MatmulPrecision::tf32 && has_tf32(context)) {
    if (few) return body(Tiling<Tf32Product<form, Raw::right, 32, 32, 16, 16>, 4>());
    if (g.outputs <= 32) return body(Tiling<Tf32Product<form, Raw::right, 128, 32, 32, 32>, 4>());
    if constexpr (width > 1) {
      if (wide) return body(Tiling<Tf32Product<form, Raw::right, 128, 128, 64, 32>, 2>());
    }
    return body(Tiling<Tf32Product<form, Raw::right, 128, 64, 32, 32>, 2>());
  } else {
    if (few) return body(Tiling<FmaProduct<T, form, 32, 32, 4, 4>, 8>());
    if (g.outputs <= 32) return body(Tiling<FmaProduct<T, form, 128, 32, 8, 4>, 4>());
    if constexpr (width > 1) {
      if (wide) return body(Tiling<FmaProduct<T, form, 64, 128, 8, 8>, 3>());
    }
    return body(Tiling<FmaProduct<T, form, 128, 64, 8, 8>, 3>());
  }
}

template <class Tiling, int width, class T>
bool launch_forward(Context& context, const ConvGeometry& g, const T* input, const TapOffsets<T>& offsets,
                    const T* weight, const T* bias, T* output) {
  using Product = typename Tiling::Product;
  constexpr std::size_t tile_bytes = ForwardSource<Product, width>::elements * sizeof(T);
  const PlanWindow<T> window(context, g, Product::rows, tile_bytes);
  const std::int64_t blocks = (g.points + Product::rows - 1) / Product::rows * g.shape.groups *
                              ((g.outputs + Product::columns - 1) / Product::columns);
  if (window.taps() == 0 || blocks > INT32_MAX) return false;
  launch(deform_fused_forward_kernel<Product, Tiling::resident_blocks, width, T>, Grid(blocks), Product::threads,
         tile_bytes + window.bytes(), context.stream, g, window.taps(), window.stride(), input, offsets, weight, bias,
         output);
  return true;
}

}  // namespace

bool fused_deform_wanted(const ConvGeometry& g) {
  // With fewer output channels than this, tiles are mostly empty.
  constexpr std::int64_t fewest_outputs = 8;
  const DeformAlgorithm algorithm = deform_algorithm();
  if (algorithm == DeformAlgorithm::panel || g.points == 0 || g.depth == 0 || g.outputs == 0) return false;
  // The kernels count these in 32 bits, and look a tile ahead.
  constexpr std::int64_t most = std::int64_t{1} << 30;
  if (std::max({g.depth, g.shape.c, g.shape.o, g.entries}) > most) return false;
  return algorithm == DeformAlgorithm::fused || g.outputs >= fewest_outputs;
}

template <class T>
bool fused_deform_forward(Context& context, const ConvGeometry& g, const T* input, const TapOffsets<T>& offsets,
                          const T* weight, const T* bias, T* output) {
  if (!fused_deform_wanted(g)) return false;
  const auto run = [&](auto width) {
    return with_tiling<T, width()>(context, g, [&](auto tiling) {
      return launch_forward<decltype(tiling), width()>(context, g, input, offsets, weight, bias, output);
    });
  };
  constexpr int width = pack_width<T>;
  if (packs_fit(g, input) && packs_fit<width>(g.depth, weight)) return run(std::integral_constant<int, width>());
  return run(std::integral_constant<int, 1>());
}

#define DEFT_FLOATING(T)                                                                                         \
  template bool fused_deform_forward<T>(Context&, const ConvGeometry&, const T*, const TapOffsets<T>&, const T*, \
                                        const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
