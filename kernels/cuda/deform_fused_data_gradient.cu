#include <algorithm>
#include <type_traits>

#include "deft/kernels/cuda/atomic_add.h"
#include "deft/kernels/cuda/deform_fused.h"
#include "deft/kernels/cuda/deform_sampler.h"
#include "deft/kernels/cuda/tile_pipeline.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cuda/scratch.h"
#include "deft/kernels/runtime/precision.h"

namespace deft::kernels {
namespace cuda_deform_fused {

/// The weights with output channels innermost, [groups, taps, inputs, row]: lines of `row` elements, a whole number of
/// packs, with zeros at the end.
template <class T>
__global__ void deform_transpose_weight_kernel(ConvGeometry g, std::int64_t row, const T* weight, T* to) {
  for (std::int64_t i = first_index(); i < g.shape.groups * g.depth * row; i += index_step()) {
    const std::int64_t line = quotient(i, row), output = i - line * row, group = quotient(line, g.depth);
    const bool exists = output < g.outputs;
    to[i] = exists ? weight[(group * g.outputs + output) * g.depth + line - group * g.depth] : T(0);
  }
}

/// Brings tiles of the output's gradient and of the transposed weights: a chunk is tile_depth output channels.
template <class Product, int width>
class DataGradientSource {
  using T = typename Product::Element;
  static constexpr int rows = Product::rows, columns = Product::columns, threads = Product::threads;
  static constexpr int stride = narrow_stride<T>;

 public:
  using Parts = ChunkParts<Product, 1>;
  static constexpr int elements = 2 * (rows + columns) * stride;

  __device__ DataGradientSource(const ConvGeometry& g, int weight_row, T* shared)
      : g_(g), weight_row_(weight_row), shared_(shared) {}

  /// Turns to the gradients at `grad_output` [pixels, outputs] and the weights at `weight` [channels, weight_row].
  __device__ void turn_to(const T* grad_output, std::int64_t pixels, const T* weight, int channels) {
    grad_output_ = grad_output;
    pixels_ = static_cast<int>(min(pixels, static_cast<std::int64_t>(rows)));
    weight_ = weight;
    channels_ = channels;
  }

  __device__ void begin(int chunk, int buffer) {
    const int from = chunk * tile_depth;
    copy_tile<rows, tile_depth, stride, threads, width>(grad_output_ + from, g_.shape.o, pixels_,
                                                        static_cast<int>(g_.outputs) - from, left(buffer));
    copy_tile<columns, tile_depth, stride, threads, pack_width<T>>(weight_ + from, weight_row_, channels_,
                                                                   weight_row_ - from, right(buffer));
  }
  __device__ void fetch(int) {}
  __device__ void store(int, int) {}

  __device__ T* left(int buffer) const { return shared_ + buffer * rows * stride; }
  __device__ T* right(int buffer) const { return shared_ + 2 * rows * stride + buffer * columns * stride; }

 private:
  const ConvGeometry& g_;
  int weight_row_;
  T* shared_;
  const T *grad_output_ = nullptr, *weight_ = nullptr;
  int pixels_ = 0, channels_ = 0;
};

/// What the gradient kernel of offset, mask and input keeps in shared memory.
template <class Product, int width>
struct DataGradientShared {
  using T = typename Product::Element;
  using Source = DataGradientSource<Product, width>;
  static constexpr int rows = Product::rows;
  /// The samples' gradients [rows, stride] take the place of the operands.
  static constexpr int stride = Product::columns + pack_width<T>;
  static constexpr int tile_elements = std::max(Source::elements, rows* stride);
  static constexpr std::size_t bytes =
      tile_elements * sizeof(T) + rows * (sizeof(AlignedCorners<T>) * 2 + sizeof(PackedCell));

  T* tile;
  AlignedCorners<T>* weights;   // of each pixel's sample
  AlignedCorners<T>* products;  // of its gradient with the pixels at the corners, summed over the channels
  PackedCell* cells;

  __device__ DataGradientShared()
      : tile(dynamic_shared<T>()),
        weights(reinterpret_cast<AlignedCorners<T>*>(tile + tile_elements)),
        products(weights + rows),
        cells(reinterpret_cast<PackedCell*>(products + rows)) {}
};

/// The cell in which this thread's entry reads.
template <class T>
__device__ Cell<T> entry_cell(const ConvGeometry& g, const TapOffsets<T>& offsets, std::int64_t point,
                              const PanelEntry& entry) {
  return offsets.template cell<CellUse::derivative>(g, output_pixel(g, point), entry);
}

/// Plans this thread's entry, of which the others read and to whose products they add.
template <class Shared, class T>
__device__ void plan_entry(const ConvGeometry& g, const TapOffsets<T>& offsets, std::int64_t point,
                           const PanelEntry& entry, bool exists, const Shared& shared) {
  if (entry.point >= Shared::rows) return;
  Cell<T> cell{};
  CellPixels pixels{};
  if (exists) {
    cell = entry_cell(g, offsets, point, entry);
    pixels = cell_pixels(g.shape, output_pixel(g, point).image, cell);
  }
  shared.cells[entry.point] = PackedCell(pixels);
  shared.weights[entry.point] = {corner_weights(cell, exists ? offsets.factor(entry) : T(0))};
  shared.products[entry.point] = {};
}

/// Consumes the gradients of samples at channels [channel, channel + channels) of the input, which are in shared
/// memory: adds their inner products with the corners to `products`, and them, weighted, to the input's gradient.
template <int width, class Shared, class T>
__device__ void visit_samples(const ConvGeometry& g, const Shared& shared, int channel, int channels, const T* input,
                              bool positions, T* grad_input) {
  int lanes = 1;  // that share a pixel
  while (lanes < warp_threads && lanes * width < channels) lanes *= 2;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % lanes;
  for (int line = thread / lanes; line < Shared::rows; line += static_cast<int>(blockDim.x) / lanes) {
    const CellPixels cell = shared.cells[line].unpack();
    const AlignedCorners<T> weights = shared.weights[line];
    Corners<T> sums{};
    for (int i = lane * width; i < channels; i += lanes * width) {
      const auto gradient = load_pack<width>(shared.tile + line * Shared::stride + i);
      DEFT_UNROLL
      for (int corner = 0; corner < 4; ++corner) {
        if (!cell.reads(corner)) continue;
        const std::int64_t element = cell.element(g.shape, corner, channel + i);
        if (positions) {
          const auto value = load_pack<width>(input + element);
          DEFT_UNROLL
          for (int k = 0; k < width; ++k) sums.at[corner] += gradient[k] * value[k];
        }
        if (grad_input != nullptr) {
          Pack<T, width> share;
          DEFT_UNROLL
          for (int k = 0; k < width; ++k) share[k] = weights.at[corner] * gradient[k];
          atomic_add_pack(grad_input + element, share);
        }
      }
    }
    if (!positions) continue;
    DEFT_UNROLL
    for (T& sum : sums.at) sum = sum_lanes(sum, lanes);
    if (lane == 0) {
      DEFT_UNROLL
      for (int corner = 0; corner < 4; ++corner) shared.products[line].at[corner] += sums.at[corner];
    }
  }
}

/// Gradients of offset and mask, and added to that of the input, each where it is not null. A block takes some output
/// pixels and one of their entries: it makes the gradients of their samples in shared memory, some channels at a time,
/// and uses them there.
template <class Product, int resident_blocks, int width, class T>
__global__ void __launch_bounds__(Product::threads, resident_blocks)
    deform_fused_data_gradient_kernel(ConvGeometry g, int weight_row, const T* input, TapOffsets<T> offsets,
                                      const T* weight, const T* grad_output, T* grad_input, T* grad_offset,
                                      T* grad_mask) {
  constexpr int rows = Product::rows, columns = Product::columns;
  using Shared = DataGradientShared<Product, width>;
  const Shared shared;
  DataGradientSource<Product, width> source(g, weight_row, shared.tile);
  const bool positions = grad_offset != nullptr || grad_mask != nullptr;
  const int entries = static_cast<int>(g.entries), taps = static_cast<int>(g.taps);
  const int inputs = static_cast<int>(g.inputs), entry_channels = static_cast<int>(g.entry_channels);
  // Neighbouring blocks have the same pixels, and find their gradients in the cache.
  const int pixel_tile = static_cast<int>(blockIdx.x) / entries, place = static_cast<int>(blockIdx.x) % entries;
  const int offset_group = place / taps, tap = place - offset_group * taps;
  const std::int64_t first = static_cast<std::int64_t>(pixel_tile) * rows, point = first + threadIdx.x;
  const PanelEntry entry{point * g.entries + place, static_cast<int>(threadIdx.x), tap, 0};  // of this thread's pixel
  const bool has_entry = threadIdx.x < rows && point < g.points;
  plan_entry(g, offsets, point, entry, has_entry, shared);

  const int end = (offset_group + 1) * entry_channels;
  for (int channel = offset_group * entry_channels, count; channel < end; channel += count) {
    const int group = channel / inputs, column = channel - group * inputs;
    count = min(columns, min(end - channel, inputs - column));
    const std::int64_t line = (static_cast<std::int64_t>(group) * taps + tap) * inputs + column;
    source.turn_to(grad_output + first * g.shape.o + group * g.outputs, g.points - first, weight + line * weight_row,
                   count);
    Product product;
    add_chunks(product, source, (weight_row + tile_depth - 1) / tile_depth);
    const T* const no_bias = nullptr;
    write_product(product, no_bias, shared.tile, Shared::stride, rows, columns);
    __syncthreads();
    visit_samples<width>(g, shared, channel, count, input, positions, grad_input);
    __syncthreads();
  }
  if (!has_entry || !positions) return;
  // The cell is found again rather than kept in registers all the while.
  write_position_gradients(offsets, entry, entry_cell(g, offsets, point, entry), shared.products[entry.point],
                           grad_offset, grad_mask);
}

}  // namespace cuda_deform_fused

namespace {

using cuda_deform_fused::DataGradientShared;
using cuda_deform_fused::deform_fused_data_gradient_kernel;
using cuda_deform_fused::deform_transpose_weight_kernel;

/// Calls body(tiling) with what suits a convolution: columns are the channels that share their offsets.
template <class T, class Body>
bool with_tiling(const Context& context, const ConvGeometry& g, const Body& body) {
  constexpr TileForm form = TileForm::narrow;
  const bool few = g.points * g.entries < 128 * std::int64_t{context.multiprocessors};
  const bool slim = std::min(g.inputs, g.entry_channels) <= 32;
  if constexpr (std::is_same_v<T, double>) {
    return body(Tiling<FmaProduct<T, form, 64, 32, 4, 4>, 3>());
  } else if (matmul_precision() == MatmulPrecision::tf32 && has_tf32(context)) {
    if (few) return body(Tiling<Tf32Product<form, Raw::both, 32, 32, 16, 16>, 4>());
    if (slim) return body(Tiling<Tf32Product<form, Raw::both, 128, 32, 32, 32>, 3>());
    return body(Tiling<Tf32Product<form, Raw::both, 128, 64, 32, 32>, 2>());
  } else {
    if (few) return body(Tiling<FmaProduct<T, form, 32, 32, 4, 4>, 8>());
    if (slim) return body(Tiling<FmaProduct<T, form, 128, 32, 8, 4>, 4>());
    return body(Tiling<FmaProduct<T, form, 128, 64, 8, 8>, 3>());
  }
}

template <class Tiling, int width, class T>
bool launch_data_gradient(Context& context, const ConvGeometry& g, const T* input, const TapOffsets<T>& offsets,
                          const T* weight, const T* grad_output, const DeformConv2dGradients<T>& gradients) {
  using Product = typename Tiling::Product;
  constexpr std::size_t bytes = DataGradientShared<Product, width>::bytes;
  const std::int64_t weight_row = (g.outputs + pack_width<T> - 1) / pack_width<T> * pack_width<T>;
  const std::int64_t pixel_tiles = (g.points + Product::rows - 1) / Product::rows;
  if (pixel_tiles * g.entries > INT32_MAX || bytes > context.shared_bytes_per_block) return false;
  const DeviceScratch<T> transposed(Cuda{context.index}, g.shape.groups * g.depth * weight_row);
  launch(deform_transpose_weight_kernel<T>, Grid(blocks_for(g.shape.groups * g.depth * weight_row)), block_threads, 0,
         context.stream, g, weight_row, weight, transposed.data());
  launch(deform_fused_data_gradient_kernel<Product, Tiling::resident_blocks, width, T>, Grid(pixel_tiles * g.entries),
         Product::threads, bytes, context.stream, g, weight_row, input, offsets, transposed.data(), grad_output,
         gradients.input, gradients.offset, gradients.mask);
  return true;
}

}  // namespace

template <class T>
bool fused_deform_data_gradient(Context& context, const ConvGeometry& g, const T* input, const TapOffsets<T>& offsets,
                                const T* weight, const T* grad_output, const DeformConv2dGradients<T>& gradients) {
  if (!fused_deform_wanted(g)) return false;
  return with_tiling<T>(context, g, [&](auto tiling) {
    constexpr int width = pack_width<T>;
    const bool packs = packs_fit(g, input) && packs_fit(g, gradients.input) && packs_fit<width>(g.outputs, grad_output);
    if (packs) {
      return launch_data_gradient<decltype(tiling), width>(context, g, input, offsets, weight, grad_output, gradients);
    }
    return launch_data_gradient<decltype(tiling), 1>(context, g, input, offsets, weight, grad_output, gradients);
  });
}

#define DEFT_FLOATING(T)                                                                                               \
  template bool fused_deform_data_gradient<T>(Context&, const ConvGeometry&, const T*, const TapOffsets<T>&, const T*, \
                                              const T*, const DeformConv2dGradients<T>&);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
