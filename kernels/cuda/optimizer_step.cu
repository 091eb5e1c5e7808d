#include "deft/kernels/cuda/math.h"
#include "deft/kernels/cuda/reduce_block.h"
#include "deft/kernels/cuda/vector_access.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/detail/optimizer_updates.h"
#include "deft/kernels/optimizer_step.h"
#include "deft/kernels/reduce.h"
#include "deft/kernels/runtime/cuda/context.h"
#include "deft/kernels/runtime/cuda/scratch.h"
#include "deft/kernels/runtime/memory.h"

namespace deft::kernels {

using namespace DEFT_PLACE;

namespace cuda_optimizer_step {

/// Elements that a block handles at a time.
inline constexpr std::int64_t chunk_size = 4096;

std::int64_t chunks_of(std::int64_t n) { return (n + chunk_size - 1) / chunk_size; }

/// Arrays of several parameters, which travel among the kernel's own parameters, so that nothing need be copied first.
template <class Arrays>
struct Batch {
  struct Entry {
    Arrays arrays;
    std::int64_t first_chunk;
    bool aligned;  ///< to whole packs
  };
  static constexpr int most = (4096 - 128) / static_cast<int>(sizeof(Entry));

  std::int64_t first_chunk = 0, last_chunk = 0;  ///< of the batch, counted through all batches
  int count = 0;
  Entry entry[most];
};

/// The last entry that begins at or before `chunk`.
template <class Arrays>
__device__ int find_entry(const Batch<Arrays>& batch, std::int64_t chunk) {
  int low = 0, high = batch.count;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (batch.entry[middle].first_chunk <= chunk ? low : high) = middle;
  }
  return low;
}

/// Tells a function how many neighbouring elements it has to handle.
template <int width>
struct Width {};

/// A block's part of one parameter's arrays.
struct Chunk {
  std::int64_t number, begin, end;
  bool aligned;

  /// Calls each(Width, i) for what this thread handles: whole packs as far as they are aligned, else single elements.
  template <int width, class Each>
  __device__ void for_packs(const Each& each) const {
    std::int64_t i = begin + static_cast<std::int64_t>(threadIdx.x) * width;
    for (; aligned && i + width <= end; i += block_threads * width) each(Width<width>(), i);
    const std::int64_t packs_end = aligned ? end - (end - begin) % width : begin;
    for (i = packs_end + threadIdx.x; i < end; i += block_threads) each(Width<1>(), i);
  }
};

template <class Arrays, class Function>
__global__ void optimizer_kernel(Batch<Arrays> batch, Function function) {
  for (std::int64_t number = batch.first_chunk + blockIdx.x; number < batch.last_chunk; number += gridDim.x) {
    const auto& entry = batch.entry[find_entry(batch, number)];
    const std::int64_t begin = (number - entry.first_chunk) * chunk_size, end = begin + chunk_size;
    function(entry.arrays, Chunk{number, begin, end < entry.arrays.n ? end : entry.arrays.n, entry.aligned});
  }
}

/// Calls function(arrays, chunk) for all chunks of all parameters, in as few launches as their number allows.
template <class Arrays, class Function>
void for_each_chunk(Cuda device, const std::vector<Arrays>& parameters, const Function& function) {
  static_assert(sizeof(Batch<Arrays>) + sizeof(Function) <= 4096, "a kernel has 4 KiB of parameters");
  const Context& ctx = context(device);
  Batch<Arrays> batch;
  const auto flush = [&] {
    launch(optimizer_kernel<Arrays, Function>, Grid(blocks_for(batch.last_chunk - batch.first_chunk, 1)), block_threads,
           0, ctx.stream, batch, function);
    batch.first_chunk = batch.last_chunk;
    batch.count = 0;
  };
  for (const Arrays& arrays : parameters) {
    if (arrays.n == 0) continue;
    if (batch.count == Batch<Arrays>::most) flush();
    batch.entry[batch.count++] = {arrays, batch.last_chunk, function.is_aligned(arrays)};
    batch.last_chunk += chunks_of(arrays.n);
  }
  flush();
}

template <class T>
struct Sgd {
  SgdUpdate<T> update;
  bool has_momentum;

  static bool is_aligned(const SgdArrays<T>& a) { return packs_fit<pack_width<T>>(0, a.grad, a.buffer, a.param); }

  __device__ void operator()(const SgdArrays<T>& a, const Chunk& chunk) const {
    chunk.for_packs<pack_width<T>>([&]<int width>(Width<width>, std::int64_t i) {
      const auto grad = load_pack<width>(a.grad + i);
      auto param = load_pack<width>(a.param + i);
      if (has_momentum) {
        Pack<T, width> buffer{};
        if (!a.first) buffer = load_pack<width>(a.buffer + i);
        for (int j = 0; j < width; ++j) update(a.first, grad[j], buffer[j], param[j]);
        store_pack_at(a.buffer, i, buffer);
      } else {
        for (int j = 0; j < width; ++j) update(grad[j], param[j]);
      }
      store_pack_at(a.param, i, param);
    });
  }
};

template <class T>
struct CorrectedAdamArrays : AdamArrays<T> {
  AdamCorrection<T> correction;
};

template <class T>
struct Adam {
  AdamUpdate<T> update;

  static bool is_aligned(const AdamArrays<T>& a) { return packs_fit<pack_width<T>>(0, a.grad, a.m, a.v, a.param); }

  __device__ void operator()(const CorrectedAdamArrays<T>& a, const Chunk& chunk) const {
    chunk.for_packs<pack_width<T>>([&]<int width>(Width<width>, std::int64_t i) {
      const auto grad = load_pack<width>(a.grad + i);
      auto m = load_pack<width>(a.m + i), v = load_pack<width>(a.v + i), param = load_pack<width>(a.param + i);
      for (int j = 0; j < width; ++j) update(a.correction, grad[j], m[j], v[j], param[j]);
      store_pack_at(a.m, i, m);
      store_pack_at(a.v, i, v);
      store_pack_at(a.param, i, param);
    });
  }
};

template <class T>
struct SquaredNorm {
  double* partial;  ///< one sum per chunk

  static bool is_aligned(const GradientArray<const T>& a) { return packs_fit<pack_width<T>>(0, a.grad); }

  __device__ void operator()(const GradientArray<const T>& a, const Chunk& chunk) const {
    double sum = 0;
    chunk.for_packs<pack_width<T>>([&]<int width>(Width<width>, std::int64_t i) {
      const auto grad = load_pack<width>(a.grad + i);
      for (int j = 0; j < width; ++j) sum += static_cast<double>(grad[j]) * static_cast<double>(grad[j]);
    });
    sum = sum_block(sum);
    if (threadIdx.x == 0) partial[chunk.number] = sum;
  }
};

template <class T>
struct Scale {
  T factor;

  static bool is_aligned(const GradientArray<T>& a) { return packs_fit<pack_width<T>>(0, a.grad); }

  __device__ void operator()(const GradientArray<T>& a, const Chunk& chunk) const {
    chunk.for_packs<pack_width<T>>([&]<int width>(Width<width>, std::int64_t i) {
      auto grad = load_pack<width>(a.grad + i);
      for (int j = 0; j < width; ++j) grad[j] *= factor;
      store_pack_at(a.grad, i, grad);
    });
  }
};

}  // namespace cuda_optimizer_step

template <class T>
void sgd_step(Cuda device, const SgdStep& step, const std::vector<SgdArrays<T>>& parameters) {
  for_each_chunk(device, parameters, cuda_optimizer_step::Sgd<T>{SgdUpdate<T>(step), step.momentum != 0});
}

template <class T>
void adam_step(Cuda device, const AdamStep& step, const std::vector<AdamArrays<T>>& parameters) {
  std::vector<cuda_optimizer_step::CorrectedAdamArrays<T>> corrected;
  for (const AdamArrays<T>& arrays : parameters) corrected.push_back({arrays, AdamCorrection<T>(step, arrays.step)});
  for_each_chunk(device, corrected, cuda_optimizer_step::Adam<T>{AdamUpdate<T>(step)});
}

template <class T>
double squared_norm(Cuda device, const std::vector<GradientArray<const T>>& gradients) {
  std::int64_t chunks = 0;
  for (const auto& gradient : gradients) chunks += cuda_optimizer_step::chunks_of(gradient.n);
  if (chunks == 0) return 0;
  const DeviceScratch<double> partial(device, chunks), sum(device, 1);
  cuda_optimizer_step::for_each_chunk(device, gradients, cuda_optimizer_step::SquaredNorm<T>{partial.data()});
  Strided<2> all;
  all.add_axis(chunks, {1, 0});
  reduce<double>(device, ReduceOp::sum, all, partial.data(), sum.data());
  double result = 0;
  copy_memory(Device::cpu(), &result, Device::cuda(device.index), sum.data(), sizeof(result));
  return result;
}

template <class T>
void scale(Cuda device, T factor, const std::vector<GradientArray<T>>& gradients) {
  cuda_optimizer_step::for_each_chunk(device, gradients, cuda_optimizer_step::Scale<T>{factor});
}

#define DEFT_FLOATING(T)                                                                \
  template void sgd_step<T>(Cuda, const SgdStep&, const std::vector<SgdArrays<T>>&);    \
  template void adam_step<T>(Cuda, const AdamStep&, const std::vector<AdamArrays<T>>&); \
  template double squared_norm<T>(Cuda, const std::vector<GradientArray<const T>>&);    \
  template void scale<T>(Cuda, T, const std::vector<GradientArray<T>>&);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
