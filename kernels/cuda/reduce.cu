#include <algorithm>

#include "deft/kernels/cuda/math.h"
#include "deft/kernels/cuda/strided_index.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/detail/reducers.h"
#include "deft/kernels/reduce.h"
#include "deft/kernels/runtime/cuda/context.h"
#include "deft/kernels/runtime/cuda/scratch.h"

namespace deft::kernels {

using namespace DEFT_PLACE;

namespace cuda_reduce {

/// Leaves the accumulators of a part of the positions as they are.
template <class Reducer>
struct First : Reducer {
  __device__ typename Reducer::Accumulator finish(typename Reducer::Accumulator a) const { return a; }
};

/// Combines what First has left.
template <class Reducer>
struct Second : Reducer {
  using Accumulator = typename Reducer::Accumulator;
  static __device__ Accumulator add(Accumulator a, Accumulator x, std::int64_t) { return Reducer::combine(a, x); }
};

/// How a reduction is cut. A block makes `across` neighbouring outputs with `along` threads each, over one chunk of the
/// positions that are reduced. Neighbouring threads read neighbouring elements: of one output where the innermost axis
/// is reduced (lanes = 1), of neighbouring outputs where it is kept.
struct Plan {
  /// `element_bytes` is the size of the input's elements.
  Plan(const Strided<2>& space, int element_bytes) {
    int outer_axes = space.rank;
    if (space.rank > 0 && space.stride[1][space.rank - 1] != 0) lanes = space.size[--outer_axes];
    outputs = lanes;
    for (int axis = 0; axis < outer_axes; ++axis) {
      const std::int64_t in = space.stride[0][axis], out = space.stride[1][axis];
      if (out == 0) {
        reduced.add_axis(space.size[axis], {in});
      } else {
        kept.add_axis(space.size[axis], {in});
        outputs *= space.size[axis];
      }
    }
    positions = chunk = reduced.numel();
    const auto power_of_two = [](std::int64_t n, int most) {
      int power = 1;
      while (power < n && power < most) power *= 2;
      return power;
    };
    const int line =
        lanes == 1 ? 1 : power_of_two(outputs, 128 / element_bytes);  // neighbours fill a line of the cache
    along = power_of_two(positions, block_threads / line);
    across = block_threads / along;
    output_blocks = (outputs + across - 1) / across;
  }

  /// Cuts the positions so that a reduction to few outputs occupies the GPU.
  void split() {
    constexpr std::int64_t wanted_blocks = 512, least_per_thread = 16;
    const std::int64_t wanted =
        std::min(wanted_blocks / std::max<std::int64_t>(output_blocks, 1), positions / (along * least_per_thread));
    if (wanted <= 1) return;
    chunk = (positions + wanted - 1) / wanted;
    chunks = (positions + chunk - 1) / chunk;
  }

  /// The space of the accumulators [chunks, outputs] that are left after the first step.
  Strided<2> rest() const {
    Strided<2> space;
    space.add_axis(chunks, {outputs, 0});
    space.add_axis(outputs, {1, 1});
    return space;
  }

  Strided<1> reduced;  ///< input along the reduced axes
  Strided<1> kept;     ///< input along the kept axes, lanes excepted
  std::int64_t lanes = 1, outputs, positions, chunk, chunks = 1, output_blocks;
  int along, across;
};

/// Folds every step-th of the positions [begin, end) of one output.
template <class Reducer, class T>
__device__ typename Reducer::Accumulator fold(const Strided<1>& reduced, const T* input, std::int64_t begin,
                                              std::int64_t end, int step) {
  auto total = Reducer::start();
  if (reduced.rank > 1) {
    for (std::int64_t i = begin; i < end; i += step) {
      total = Reducer::add(total, input[offsets_at(reduced, i).of[0]], i);
    }
    return total;
  }
  constexpr int batch = 8;  // loads under way at a time
  const std::int64_t stride = reduced.stride[0][0];
  std::int64_t i = begin;
  for (; i + (batch - 1) * step < end; i += batch * step) {
    T x[batch];
    for (int j = 0; j < batch; ++j) x[j] = input[(i + j * step) * stride];
    for (int j = 0; j < batch; ++j) total = Reducer::add(total, x[j], i + j * step);
  }
  for (; i < end; i += step) total = Reducer::add(total, input[i * stride], i);
  return total;
}

/// output [chunks, outputs].
template <class Reducer, class T, class Out>
__global__ void reduce_kernel(Reducer reducer, Plan plan, const T* input, Out* output) {
  DEFT_SHARED(typename Reducer::Accumulator, partial, block_threads);
  const int thread = static_cast<int>(threadIdx.x);
  const bool row = plan.lanes == 1;
  const int position = row ? thread % plan.along : thread / plan.across;
  const int place = row ? thread / plan.along : thread % plan.across, next = row ? 1 : plan.across;
  for (std::int64_t item = blockIdx.x; item < plan.output_blocks * plan.chunks; item += gridDim.x) {
    const std::int64_t chunk = quotient(item, plan.output_blocks);
    const std::int64_t out = (item - chunk * plan.output_blocks) * plan.across + place;
    partial[thread] = Reducer::start();
    if (out < plan.outputs) {
      const std::int64_t vector = quotient(out, plan.lanes), begin = chunk * plan.chunk;
      const T* first = input + offsets_at(plan.kept, vector).of[0] + (out - vector * plan.lanes);
      const std::int64_t end = begin + plan.chunk < plan.positions ? begin + plan.chunk : plan.positions;
      partial[thread] = fold<Reducer>(plan.reduced, first, begin + position, end, plan.along);
    }
    for (int half = plan.along / 2; half > 0; half /= 2) {
      __syncthreads();
      if (position < half) partial[thread] = Reducer::combine(partial[thread], partial[thread + half * next]);
    }
    if (position == 0 && out < plan.outputs) output[chunk * plan.outputs + out] = reducer.finish(partial[thread]);
    __syncthreads();
  }
}

template <class Reducer, class T, class Out>
void start(Cuda device, const Reducer& reducer, const Plan& plan, const T* input, Out* output) {
  launch(reduce_kernel<Reducer, T, Out>, Grid(blocks_for(plan.output_blocks * plan.chunks, 1)), block_threads, 0,
         context(device).stream, reducer, plan, input, output);
}

template <class Reducer, class T, class Out>
void run(Cuda device, const Reducer& reducer, const Strided<2>& space, const T* input, Out* output) {
  Plan plan(space, sizeof(T));
  plan.split();
  if (plan.chunks == 1) return start(device, reducer, plan, input, output);
  DeviceScratch<typename Reducer::Accumulator> partial(device, plan.chunks * plan.outputs);
  start(device, First<Reducer>{reducer}, plan, input, partial.data());
  start(device, Second<Reducer>{reducer}, Plan(plan.rest(), sizeof(typename Reducer::Accumulator)), partial.data(),
        output);
}

}  // namespace cuda_reduce

template <class T>
void reduce(Cuda device, ReduceOp op, const Strided<2>& space, const T* input, T* output) {
  visit<T>(op, cuda_reduce::Plan(space, sizeof(T)).positions,
           [&](const auto& reducer) { cuda_reduce::run(device, reducer, space, input, output); });
}

template <class T>
void argmax(Cuda device, const Strided<2>& space, const T* input, std::int64_t* output) {
  cuda_reduce::run(device, ArgMax<T>{}, space, input, output);
}

#define DEFT_SIGNED(T)                                                      \
  template void reduce<T>(Cuda, ReduceOp, const Strided<2>&, const T*, T*); \
  template void argmax<T>(Cuda, const Strided<2>&, const T*, std::int64_t*);

DEFT_INSTANTIATE_SIGNED(DEFT_SIGNED)

}  // namespace deft::kernels
