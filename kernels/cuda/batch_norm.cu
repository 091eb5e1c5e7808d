#include <algorithm>
#include <type_traits>

#include "deft/kernels/batch_norm.h"
#include "deft/kernels/cuda/channel_tiles.h"
#include "deft/kernels/cuda/vector_access.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cuda/context.h"
#include "deft/kernels/runtime/cuda/scratch.h"

namespace deft::kernels {
namespace cuda_batch_norm {

// What a block sums over: the rows are cut into `chunks`, the channels into tiles. Block (tile, chunk) takes the rows
// from chunk · rows_per_chunk on.
struct Work {
  BatchNormShape shape;
  ChannelTiles tiles;
  std::int64_t chunks, rows_per_chunk;
};

// Calls use(element, load(element)) for the first elements of the vectors that this thread has in its block's rows.
template <int V, class Load, class Use>
__device__ void for_rows(const Work& work, std::int64_t vector, const Load& load, const Use& use) {
  constexpr int batch = 4;  // loads under way at a time
  const std::int64_t begin = blockIdx.y * work.rows_per_chunk, wanted_end = begin + work.rows_per_chunk;
  const std::int64_t end = wanted_end < work.shape.rows ? wanted_end : work.shape.rows;
  const std::int64_t channels = work.shape.channels, step = blockDim.y;
  std::int64_t row = begin + threadIdx.y;
  for (; row + (batch - 1) * step < end; row += batch * step) {
    const std::int64_t first = row * channels + vector * V;
    decltype(load(first)) values[batch];
    for (int i = 0; i < batch; ++i) values[i] = load(first + i * step * channels);
    for (int i = 0; i < batch; ++i) use(first + i * step * channels, values[i]);
  }
  for (; row < end; row += step) use(row * channels + vector * V, load(row * channels + vector * V));
}

__device__ std::int64_t vector_of_thread(const Work& work) {
  return static_cast<std::int64_t>(blockIdx.x) * work.tiles.lanes + threadIdx.x;
}

template <class T, int V>
struct GradientAndInput {
  Pack<T, V> gradient, input;
};

// Terms of the moments: x − centre and its square, where the centre is the channel's first value. Being one of the
// values it is at most √rows standard deviations from their mean, so that the subtraction that makes the variance of
// the two sums loses few bits.
template <class T, int V>
struct MomentTerms {
  const T* input;

  __device__ Pack<T, V> centre(std::int64_t channel) const { return load_pack<V>(input + channel); }
  __device__ Pack<T, V> load(std::int64_t element) const { return load_pack<V>(input + element); }
  __device__ static void add(const Pack<T, V>& x, const Pack<T, V>& centre, double (&sums)[2 * V]) {
    for (int k = 0; k < V; ++k) {
      const double deviation = static_cast<double>(x[k] - centre[k]);
      sums[k] += deviation;
      sums[V + k] += deviation * deviation;
    }
  }
};

// Terms of the gradients: grad_output, and grad_output · (input − mean).
template <class T, int V>
struct GradientTerms {
  const T *grad_output, *input, *mean;

  __device__ Pack<T, V> centre(std::int64_t channel) const { return load_pack<V>(mean + channel); }
  __device__ GradientAndInput<T, V> load(std::int64_t element) const {
    return {load_pack<V>(grad_output + element), load_pack<V>(input + element)};
  }
  __device__ static void add(const GradientAndInput<T, V>& at, const Pack<T, V>& centre, double (&sums)[2 * V]) {
    for (int k = 0; k < V; ++k) {
      const double gradient = static_cast<double>(at.gradient[k]);
      sums[k] += gradient;
      sums[V + k] += gradient * static_cast<double>(at.input[k] - centre[k]);
    }
  }
};

// First step: two sums per channel of every chunk, sums[chunk][which][channel].
template <class Terms, int V>
__global__ void batch_norm_sums_kernel(Work work, Terms terms, double* __restrict__ sums) {
  const std::int64_t vector = vector_of_thread(work);
  const bool inside = vector < work.tiles.vectors;
  double own[2 * V] = {};
  if (inside) {
    const auto centre = terms.centre(vector * V);
    for_rows<V>(
        work, vector, [&](std::int64_t element) { return terms.load(element); },
        [&](std::int64_t, const auto& values) { Terms::add(values, centre, own); });
  }
  sum_over_rows(own);
  if (threadIdx.y != 0 || !inside) return;
  double* const first = sums + 2 * blockIdx.y * work.shape.channels + vector * V;
  for (int k = 0; k < V; ++k) {
    first[k] = own[k];
    first[work.shape.channels + k] = own[V + k];
  }
}

// Second step: adds the chunks up and calls finish(channel, first sum, second sum).
template <class Finish>
__global__ void batch_norm_finish_kernel(ChannelTiles tiles, std::int64_t chunks, const double* __restrict__ sums,
                                         Finish finish) {
  const std::int64_t channel = static_cast<std::int64_t>(blockIdx.x) * tiles.lanes + threadIdx.x;
  const bool inside = channel < tiles.vectors;
  double own[2] = {};
  for (std::int64_t chunk = threadIdx.y; inside && chunk < chunks; chunk += blockDim.y) {
    own[0] += sums[2 * chunk * tiles.vectors + channel];
    own[1] += sums[(2 * chunk + 1) * tiles.vectors + channel];
  }
  sum_over_rows(own);
  if (threadIdx.y == 0 && inside) finish(channel, own[0], own[1]);
}

template <class T>
struct FinishMoments {
  const T* input;
  double rows, eps;
  RunningStatistics<T> running;
  T *mean, *inv_std;

  __device__ void operator()(std::int64_t channel, double sum, double square_sum) const {
    const double batch_mean = static_cast<double>(input[channel]) + sum / rows;
    const double squares = square_sum - sum * sum / rows;
    mean[channel] = static_cast<T>(batch_mean);
    inv_std[channel] = static_cast<T>(1 / sqrt(squares / rows + eps));
    update(running.mean, channel, batch_mean);
    update(running.variance, channel, squares / (rows - 1));
  }
  __device__ void update(T* statistic, std::int64_t channel, double batch) const {
    if (statistic == nullptr) return;
    statistic[channel] =
        static_cast<T>((1 - running.momentum) * static_cast<double>(statistic[channel]) + running.momentum * batch);
  }
};

// What the gradient of the input takes from the sums: grad_input = (grad_output − pull − (input − mean) · slope) ·
// scale.
template <class T>
struct FinishGradients {
  double rows;
  const T* inv_std;
  BatchNormGradients<T> gradients;
  T *pull, *slope;  // null for constant statistics

  __device__ void operator()(std::int64_t channel, double plain, double weighted) const {
    const double inverse = static_cast<double>(inv_std[channel]);
    if (gradients.bias != nullptr) gradients.bias[channel] = static_cast<T>(plain);
    if (gradients.weight != nullptr) gradients.weight[channel] = static_cast<T>(weighted * inverse);
    if (pull == nullptr) return;
    pull[channel] = static_cast<T>(plain / rows);
    slope[channel] = static_cast<T>(weighted * inverse * inverse / rows);
  }
};

template <class T>
__global__ void batch_norm_inv_std_kernel(std::int64_t channels, const T* variance, double eps, T* inv_std) {
  for (std::int64_t c = first_index(); c < channels; c += index_step()) {
    inv_std[c] = static_cast<T>(1 / sqrt(static_cast<double>(variance[c]) + eps));
  }
}

// `absent` where the pointer is null.
template <int V, class T>
__device__ Pack<T, V> load_or(const T* values, std::int64_t channel, T absent) {
  if (values != nullptr) return load_pack<V>(values + channel);
  Pack<T, V> pack;
  for (int k = 0; k < V; ++k) pack[k] = absent;
  return pack;
}

// inv_std · weight.
template <int V, class T>
__device__ Pack<T, V> load_scale(const T* inv_std, const T* weight, std::int64_t channel) {
  Pack<T, V> scale = load_pack<V>(inv_std + channel);
  const Pack<T, V> factor = load_or<V>(weight, channel, T(1));
  for (int k = 0; k < V; ++k) scale[k] *= factor[k];
  return scale;
}

template <class T, int V>
__global__ void batch_norm_normalise_kernel(Work work, const T* __restrict__ input, const T* __restrict__ weight,
                                            const T* __restrict__ bias, const T* __restrict__ mean,
                                            const T* __restrict__ inv_std, T* __restrict__ output) {
  const std::int64_t vector = vector_of_thread(work);
  if (vector >= work.tiles.vectors) return;
  const Pack<T, V> scale = load_scale<V>(inv_std, weight, vector * V), centre = load_pack<V>(mean + vector * V);
  const Pack<T, V> shift = load_or<V>(bias, vector * V, T(0));
  for_rows<V>(
      work, vector, [&](std::int64_t element) { return load_pack<V>(input + element); },
      [&](std::int64_t element, Pack<T, V> x) {
        for (int k = 0; k < V; ++k) x[k] = (x[k] - centre[k]) * scale[k] + shift[k];
        store_pack<V>(output + element, x);
      });
}

template <class T, int V>
__global__ void batch_norm_grad_input_kernel(Work work, const T* __restrict__ grad_output, const T* __restrict__ input,
                                             const T* __restrict__ weight, const T* __restrict__ mean,
                                             const T* __restrict__ inv_std, const T* __restrict__ pull,
                                             const T* __restrict__ slope, T* __restrict__ grad_input) {
  const std::int64_t vector = vector_of_thread(work);
  if (vector >= work.tiles.vectors) return;
  const Pack<T, V> scale = load_scale<V>(inv_std, weight, vector * V), centre = load_pack<V>(mean + vector * V);
  const Pack<T, V> pull_of = load_or<V>(pull, vector * V, T(0)), slope_of = load_or<V>(slope, vector * V, T(0));
  const GradientTerms<T, V> terms{grad_output, input, mean};
  for_rows<V>(
      work, vector, [&](std::int64_t element) { return terms.load(element); },
      [&](std::int64_t element, GradientAndInput<T, V> at) {
        Pack<T, V>& g = at.gradient;
        for (int k = 0; k < V; ++k) g[k] = (g[k] - pull_of[k] - (at.input[k] - centre[k]) * slope_of[k]) * scale[k];
        store_pack<V>(grad_input + element, g);
      });
}

}  // namespace cuda_batch_norm

namespace {

using cuda_batch_norm::Work;

// Few enough chunks that adding them up costs nothing, enough blocks to fill any GPU. A function of the shape alone, so
// that every GPU takes its sums in the same order.
Work make_work(const BatchNormShape& shape, int width) {
  constexpr std::int64_t blocks = 1024, least_rows_per_thread = 4;
  const ChannelTiles tiles(shape.channels, width);
  const std::int64_t least = least_rows_per_thread * tiles.rows_at_once();
  const std::int64_t most_chunks = std::max<std::int64_t>(1, blocks / std::max<std::int64_t>(1, tiles.count()));
  const std::int64_t rows_per_chunk = std::max(least, (shape.rows + most_chunks - 1) / most_chunks);
  return {shape, tiles, (shape.rows + rows_per_chunk - 1) / rows_per_chunk, rows_per_chunk};
}

Grid grid_of(const Work& work) {
  return dim3(static_cast<unsigned>(work.tiles.count()), static_cast<unsigned>(work.chunks));
}

// Sums the terms of all rows, then finishes every channel.
template <int V, class Terms, class Finish>
void sum_channels(Cuda device, const BatchNormShape& shape, const Terms& terms, const Finish& finish) {
  const Context& ctx = context(device);
  const Work work = make_work(shape, V);
  const DeviceScratch<double> sums(device, 2 * work.chunks * shape.channels);
  launch(cuda_batch_norm::batch_norm_sums_kernel<Terms, V>, grid_of(work), work.tiles.threads(), 0, ctx.stream, work,
         terms, sums.data());
  // As narrow as accesses to memory are, so that many threads share a channel's chunks.
  const ChannelTiles tiles(shape.channels, 1, 4);
  launch(cuda_batch_norm::batch_norm_finish_kernel<Finish>, Grid(tiles.count()), tiles.threads(), 0, ctx.stream, tiles,
         work.chunks, sums.data(), finish);
}

template <class T>
void normalise(Cuda device, const BatchNormShape& shape, const T* input, const T* weight, const T* bias, const T* mean,
               const T* inv_std, T* output) {
  with_pack_width<T>(
      shape.channels,
      [&](auto width) {
        constexpr int V = width();
        const Work work = make_work(shape, V);
        launch(cuda_batch_norm::batch_norm_normalise_kernel<T, V>, grid_of(work), work.tiles.threads(), 0,
               context(device).stream, work, input, weight, bias, mean, inv_std, output);
      },
      input, weight, bias, mean, inv_std, output);
}

}  // namespace

template <class T>
void batch_norm_forward_training(Cuda device, const BatchNormShape& shape, const T* input, const T* weight,
                                 const T* bias, double eps, const RunningStatistics<T>& running, T* mean, T* inv_std,
                                 T* output) {
  if (shape.rows == 0) {
    const auto bytes = static_cast<std::size_t>(shape.channels) * sizeof(T);
    DEFT_CUDA_CHECK(cudaMemsetAsync(mean, 0, bytes, context(device).stream));
    DEFT_CUDA_CHECK(cudaMemsetAsync(inv_std, 0, bytes, context(device).stream));
    return;
  }
  with_pack_width<T>(
      shape.channels,
      [&](auto width) {
        const cuda_batch_norm::MomentTerms<T, width()> terms{input};
        const cuda_batch_norm::FinishMoments<T> finish{input,  static_cast<double>(shape.rows), eps, running, mean,
                                                       inv_std};
        sum_channels<width()>(device, shape, terms, finish);
      },
      input);
  normalise(device, shape, input, weight, bias, mean, inv_std, output);
}

template <class T>
void batch_norm_forward_inference(Cuda device, const BatchNormShape& shape, const T* input, const T* weight,
                                  const T* bias, double eps, const T* mean, const T* variance, T* inv_std, T* output) {
  launch(cuda_batch_norm::batch_norm_inv_std_kernel<T>, Grid(blocks_for(shape.channels)), block_threads, 0,
         context(device).stream, shape.channels, variance, eps, inv_std);
  normalise(device, shape, input, weight, bias, mean, inv_std, output);
}

template <class T>
void batch_norm_backward(Cuda device, const BatchNormShape& shape, bool training, const T* grad_output, const T* input,
                         const T* mean, const T* inv_std, const T* weight, const BatchNormGradients<T>& gradients) {
  const DeviceScratch<T> scratch(device, training ? 2 * shape.channels : 0);
  T *pull = training ? scratch.data() : nullptr, *slope = training ? scratch.data() + shape.channels : nullptr;
  with_pack_width<T>(
      shape.channels,
      [&](auto width) {
        constexpr int V = width();
        if (training || gradients.weight != nullptr || gradients.bias != nullptr) {
          const cuda_batch_norm::GradientTerms<T, V> terms{grad_output, input, mean};
          const cuda_batch_norm::FinishGradients<T> finish{static_cast<double>(shape.rows), inv_std, gradients, pull,
                                                           slope};
          sum_channels<V>(device, shape, terms, finish);
        }
        if (gradients.input == nullptr) return;
        const Work work = make_work(shape, V);
        launch(cuda_batch_norm::batch_norm_grad_input_kernel<T, V>, grid_of(work), work.tiles.threads(), 0,
               context(device).stream, work, grad_output, input, weight, mean, inv_std, pull, slope, gradients.input);
      },
      grad_output, input, mean, inv_std, weight, gradients.input, pull, slope);
}

#define DEFT_INSTANTIATE(T)                                                                                        \
  template void batch_norm_forward_training<T>(Cuda, const BatchNormShape&, const T*, const T*, const T*, double,  \
                                               const RunningStatistics<T>&, T*, T*, T*);                           \
  template void batch_norm_forward_inference<T>(Cuda, const BatchNormShape&, const T*, const T*, const T*, double, \
                                                const T*, const T*, T*, T*);                                       \
  template void batch_norm_backward<T>(Cuda, const BatchNormShape&, bool, const T*, const T*, const T*, const T*,  \
                                       const T*, const BatchNormGradients<T>&);
DEFT_INSTANTIATE_FLOATING(DEFT_INSTANTIATE)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
