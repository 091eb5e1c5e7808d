#include <algorithm>
#include <type_traits>

#include "deft/kernels/cuda/deform_algorithm.h"
#include "deft/kernels/cuda/deform_fused.h"
#include "deft/kernels/cuda/deform_sampler.h"
#include "deft/kernels/cuda/tile_product.h"
#include "deft/kernels/instantiate.h"
#include "deft/kernels/precision.h"

namespace deft::kernels {
namespace cuda_deform_fused {

/// output tile [rows pixels, columns output channels] = panel tiles, sampled here · weight tiles.
template <class Product, int width>
class ForwardTile {
  using T = typename Product::Element;
  static constexpr int rows = Product::rows, columns = Product::columns, threads = Product::threads;
  static constexpr int stride = narrow_stride<T>;
  // A chunk of depth is multiplied in parts, and during each a part of the next chunk's samples is on its way.
  static constexpr int slots = TileLanes<rows, tile_depth, threads, width>::slots;
  static constexpr int parts = std::min(slots, tile_depth / Product::step);
  static constexpr int slots_of_part = slots / parts, depth_of_part = tile_depth / parts;
  static_assert(slots % parts == 0);

 public:
  /// Elements of shared memory: two chunks of each operand.
  static constexpr int elements = 2 * (rows + columns) * stride;

  __device__ ForwardTile(const ConvGeometry& g, const T* input, int first_channel, OffsetGroups groups, T* shared)
      : sampler_(g, input, first_channel, groups), shared_(shared) {}

  /// Adds the product of the planned taps, `depth` columns of the panel, with the weights at `weight` [height, depth], whose
  /// rows are `row` elements apart.
  __device__ void add(const SamplingPlan<T>& plan, int taps, const T* weight, std::int64_t row, int height, int depth) {
    bring_first(plan, taps, weight, row, height, depth);
    int current = 0;
    for (int begin = 0; begin < depth; begin += tile_depth) {
      const int next = begin + tile_depth;
      const bool more = next < depth;
      if (more) {
        sampler_.place(next, taps);
        copy_weights(weight + next, row, height, depth - next, right(1 - current));
      }
      DEFT_NO_UNROLL
      for (int part = 0; part < parts; ++part) {
        if (more) sampler_.fetch(plan, part * slots_of_part);
        product_.template add<depth_of_part>(left(current), right(current), part * depth_of_part);
        if (more) sampler_.store(plan, part * slots_of_part, left(1 - current), Product::rounded);
      }
      wait_for_copies();
      current = 1 - current;
      __syncthreads();
    }
  }

  /// Writes the tile to `output` [height, length], whose rows are `row` elements apart, with `bias` [length] or null added.
  __device__ void write(const T* bias, T* output, std::int64_t row, std::int64_t height, int length) const {
    constexpr int pack = Product::width;
    const bool packs = row % pack == 0 && length % pack == 0 && is_aligned<pack>(output);
    product_.for_each([&](int line, int column, Pack<T, pack> sums) {
      if (line >= height) return;
      DEFT_UNROLL
      for (int i = 0; i < pack; ++i) {
        if (bias != nullptr && column + i < length) sums[i] += bias[column + i];
      }
      const std::int64_t at = line * row + column;
      if (packs && column < length) {
        store_pack_at(output, at, sums);
        return;
      }
      DEFT_UNROLL
      for (int i = 0; i < pack; ++i) {
        if (column + i < length) output[at + i] = sums[i];
      }
    });
  }

 private:
  __device__ T* left(int chunk) const { return shared_ + chunk * rows * stride; }
  __device__ T* right(int chunk) const { return shared_ + 2 * rows * stride + chunk * columns * stride; }

  __device__ static void copy_weights(const T* weight, std::int64_t row, int height, int depth, T* to) {
    copy_tile<columns, tile_depth, stride, threads, width>(weight, row, height, depth, to);
  }

  __device__ void bring_first(const SamplingPlan<T>& plan, int taps, const T* weight, std::int64_t row, int height,
                              int depth) {
    copy_weights(weight, row, height, depth, right(0));
    sampler_.place(0, taps);
    DEFT_UNROLL
    for (int slot = 0; slot < slots; slot += slots_of_part) {
      sampler_.fetch(plan, slot);
      sampler_.store(plan, slot, left(0), Product::rounded);
    }
    wait_for_copies();
    __syncthreads();
  }

  Product product_;
  TileSampler<T, rows, tile_depth, stride, threads, width, slots_of_part> sampler_;
  T* shared_;
};

/// The plan of `window` taps is in shared memory at a time.
template <class Product, int resident_blocks, int width, class T>
__global__ void __launch_bounds__(Product::threads, resident_blocks)
    deform_fused_forward_kernel(ConvGeometry g, int window, int plan_stride, const T* input, TapOffsets<T> offsets,
                                const T* weight, const T* bias, T* output) {
  using Tile = ForwardTile<Product, width>;
  const int taps = static_cast<int>(g.taps), inputs = static_cast<int>(g.inputs);
  const std::int64_t column_tiles = (g.outputs + Product::columns - 1) / Product::columns;
  const std::int64_t slice = quotient(blockIdx.x, column_tiles), pixel_tile = quotient(slice, g.shape.groups);
  const std::int64_t group = slice - pixel_tile * g.shape.groups;
  const std::int64_t column = (blockIdx.x - slice * column_tiles) * Product::columns;
  const std::int64_t first = pixel_tile * Product::rows, output_channel = group * g.outputs + column;
  const int height = static_cast<int>(g.outputs - column);
  const OffsetGroups groups = offset_groups_of(g, group * g.inputs, g.inputs);

  T* const shared = dynamic_shared<T>();
  const SamplingPlan<T> plan(shared + Tile::elements, Product::rows, plan_stride);
  Tile tile(g, input, static_cast<int>(group * g.inputs), groups, shared);
  for (int tap = 0; tap < taps; tap += window) {
    const int planned = min(window, taps - tap);
    plan.fill(g, offsets, first, Product::rows, groups, tap, planned);
    __syncthreads();
    tile.add(plan, planned, weight + output_channel * g.depth + tap * inputs, g.depth, height, planned * inputs);
  }
  tile.write(bias == nullptr ? nullptr : bias + output_channel, output + first * g.shape.o + output_channel, g.shape.o,
             g.points - first, height);
}

}  // namespace cuda_deform_fused

namespace {

using cuda_deform_fused::deform_fused_forward_kernel;
using cuda_deform_fused::ForwardTile;

/// Tiles of a product and how many blocks with them a multiprocessor must hold at a time, which bounds their registers.
template <class Product_, int resident_blocks_>
struct Tiling {
  using Product = Product_;
  static constexpr int resident_blocks = resident_blocks_;
};

/// Calls body(tiling) with what suits a convolution: as wide as its output channels, so that no sample is taken twice, but small
/// where there would be fewer blocks than multiprocessors.
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
  constexpr std::size_t tile_bytes = ForwardTile<Product, width>::elements * sizeof(T);
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
  if (std::max({g.depth, g.shape.c, g.shape.o}) > INT32_MAX) return false;
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
