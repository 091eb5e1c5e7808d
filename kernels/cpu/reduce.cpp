#include "deft/kernels/reduce.h"

#include <algorithm>
#include <type_traits>

#include "deft/kernels/cpu/math.h"
#include "deft/kernels/cpu/strided_loop.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/detail/reducers.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/cpu/kernel.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

/// How a reduction is cut. The output consists of vectors of `lanes` neighbouring elements (the innermost axis if it is
/// kept, else 1); each vector sums `positions` vectors of the input, in chunks of fixed size.
struct Plan {
  static constexpr std::int64_t max_lanes = 512;

  explicit Plan(const Strided<2>& space) {
    int outer_axes = space.rank;
    if (space.rank > 0 && space.stride[1][space.rank - 1] != 0) lanes = space.size[--outer_axes];
    for (int axis = 0; axis < outer_axes; ++axis) {
      const std::int64_t in = space.stride[0][axis], out = space.stride[1][axis];
      if (out == 0) {
        reduced.add_axis(space.size[axis], {in});
      } else {
        kept_input.add_axis(space.size[axis], {in});
        vectors *= space.size[axis];
      }
    }
    positions = reduced.numel();
    lane_blocks = (lanes + max_lanes - 1) / max_lanes;
    chunk = std::max<std::int64_t>(1, 2 * block_elements / std::clamp<std::int64_t>(lanes, 1, max_lanes));
    chunks = std::max<std::int64_t>(1, (positions + chunk - 1) / chunk);
  }

  Strided<1> reduced;     ///< input along the reduced axes
  Strided<1> kept_input;  ///< input along the kept axes, lanes excepted
  std::int64_t vectors = 1, lanes = 1, lane_blocks, positions, chunk, chunks;
};

/// Folds a dense run in `width` interleaved accumulators, which keep the vector units busy; returns how far it came.
template <std::int64_t width, class Reducer, class T, class Accumulator>
std::int64_t fold_interleaved(Accumulator& total, const T* x, std::int64_t count, std::int64_t position) {
  if (count < 2 * width) return 0;
  Accumulator part[width];
  std::fill_n(part, width, Reducer::start());
  std::int64_t i = 0;
  for (; i + width <= count; i += width) {
    for (std::int64_t j = 0; j < width; ++j) part[j] = Reducer::add(part[j], x[i + j], position + i + j);
  }
  for (std::int64_t half = width / 2; half > 0; half /= 2) {
    for (std::int64_t j = 0; j < half; ++j) part[j] = Reducer::combine(part[j], part[j + half]);
  }
  total = Reducer::combine(total, part[0]);
  return i;
}

template <class Reducer, class T, class Accumulator>
Accumulator fold_run(Accumulator total, const T* x, std::int64_t count, std::int64_t position);

/// Finds the largest value first, in vector code, then its place.
template <class T>
typename ArgMax<T>::Accumulator arg_max_of_run(typename ArgMax<T>::Accumulator total, const T* x, std::int64_t count,
                                               std::int64_t position) {
  const T largest = fold_run<Max<T>>(Max<T>::start(), x, count, position);
  std::int64_t i = 0;
  while (x[i] != largest && !math::is_nan(x[i])) ++i;
  return ArgMax<T>::combine(total, {x[i], position + i});
}

/// Folds a dense run.
template <class Reducer, class T, class Accumulator>
Accumulator fold_run(Accumulator total, const T* x, std::int64_t count, std::int64_t position) {
  if constexpr (std::is_same_v<Reducer, ArgMax<T>>) return arg_max_of_run(total, x, count, position);
  // Joining the accumulators costs as much as folding some hundred elements; those in double fill more registers.
  constexpr std::int64_t many = sizeof(Accumulator) > sizeof(T) ? 1024 : 128;
  std::int64_t i = count >= many ? fold_interleaved<64, Reducer>(total, x, count, position) : 0;
  i += fold_interleaved<16, Reducer>(total, x + i, count - i, position + i);
  for (; i < count; ++i) total = Reducer::add(total, x[i], position + i);
  return total;
}

/// Folds positions [begin, end) of one vector into `accumulators`; `input` is at its first lane.
template <class Reducer, class T, class Accumulator>
void fold(const Plan& plan, const T* input, std::int64_t lanes, std::int64_t begin, std::int64_t end,
          Accumulator* accumulators) {
  StridedCursor cursor(plan.reduced, begin);
  const std::int64_t step = cursor.step();
  while (begin < end) {
    const auto [offset, count] = cursor.next(end - begin);
    const T* run = input + offset;
    if (lanes == 1 && step == 1) {
      *accumulators = fold_run<Reducer>(*accumulators, run, count, begin);
    } else {
      for (std::int64_t i = 0; i < count; ++i) {
        const T* x = run + i * step;
#pragma omp simd
        for (std::int64_t j = 0; j < lanes; ++j) accumulators[j] = Reducer::add(accumulators[j], x[j], begin + i);
      }
    }
    begin += count;
  }
}

template <class Reducer, class T, class Out>
void run(const Reducer& reducer, const Strided<2>& space, const T* input, Out* output) {
  using Accumulator = typename Reducer::Accumulator;
  const Plan plan(space);
  const std::int64_t outputs = plan.vectors * plan.lanes;
  if (outputs == 0) return;
  Scratch<Accumulator> partial(plan.chunks > 1 ? plan.chunks * outputs : 0);

  const auto task = [&](std::int64_t item) {
    const std::int64_t chunk = item % plan.chunks, lane_block = item / plan.chunks % plan.lane_blocks;
    const std::int64_t vector = item / plan.chunks / plan.lane_blocks;
    const std::int64_t lane = lane_block * Plan::max_lanes, lanes = std::min(plan.lanes - lane, Plan::max_lanes);
    const std::int64_t first = vector * plan.lanes + lane, begin = chunk * plan.chunk;
    Accumulator accumulators[Plan::max_lanes];
    std::fill_n(accumulators, lanes, Reducer::start());
    const T* x = input + StridedCursor(plan.kept_input, vector).next(1).offset + lane;
    fold<Reducer>(plan, x, lanes, begin, std::min(begin + plan.chunk, plan.positions), accumulators);
    if (plan.chunks > 1) {
      std::copy_n(accumulators, lanes, partial.data() + chunk * outputs + first);
    } else {
      for (std::int64_t j = 0; j < lanes; ++j) output[first + j] = reducer.finish(accumulators[j]);
    }
  };
  const std::int64_t per_item = std::min(plan.chunk, plan.positions) * std::min(plan.lanes, Plan::max_lanes);
  const std::int64_t group = std::max<std::int64_t>(1, block_elements / std::max<std::int64_t>(1, per_item));
  parallel_blocks(plan.vectors * plan.lane_blocks * plan.chunks, group, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) task(item);
  });
  if (plan.chunks == 1) return;
  parallel_blocks(outputs, std::max<std::int64_t>(1, block_elements / plan.chunks),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      Accumulator total = partial[i];
                      for (std::int64_t c = 1; c < plan.chunks; ++c) {
                        total = Reducer::combine(total, partial[c * outputs + i]);
                      }
                      output[i] = reducer.finish(total);
                    }
                  });
}

}  // namespace
}  // namespace DEFT_SIMD

using namespace DEFT_SIMD;

template <class T>
void reduce(Set, ReduceOp op, const Strided<2>& space, const T* input, T* output) {
  visit<T>(op, Plan(space).positions, [&](const auto& reducer) { run(reducer, space, input, output); });
}

template <class T>
void argmax(Set, const Strided<2>& space, const T* input, std::int64_t* output) {
  run(ArgMax<T>{}, space, input, output);
}

#define DEFT_SIGNED(T)                                                  \
  template void reduce(Set, ReduceOp, const Strided<2>&, const T*, T*); \
  template void argmax(Set, const Strided<2>&, const T*, std::int64_t*);

DEFT_INSTANTIATE_SIGNED(DEFT_SIGNED)

}  // namespace deft::kernels
