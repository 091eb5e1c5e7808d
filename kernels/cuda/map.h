// Elementwise kernels: one function applied to every element of dense or broadcast arrays.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "deft/kernels/cuda/strided_index.h"
#include "deft/kernels/cuda/vector_access.h"
#include "deft/kernels/runtime/cuda/context.h"

namespace deft::kernels {

/// Elements that a thread handles at a time: as many as the largest type has in 16 bytes.
template <class... T>
inline constexpr int map_width = 16 / static_cast<int>(std::max({sizeof(T)...}));

template <int width, class Function, class Out, class... In>
__device__ void map_pack(Function function, Out* output, const Pack<In, width>&... inputs) {
  Pack<Out, width> result;
  for (int j = 0; j < width; ++j) result[j] = function(inputs[j]...);
  store_pack(output, result);
}

/// The first `packs` packs in one access per array, the other elements one by one.
template <int width, class Function, class Out, class... In>
__global__ void map_kernel(std::int64_t n, std::int64_t packs, Function function, Out* output, const In*... inputs) {
  for (std::int64_t i = first_index(); i < packs; i += index_step()) {
    map_pack<width>(function, output + i * width, load_pack<width>(inputs + i * width)...);
  }
  for (std::int64_t i = packs * width + first_index(); i < n; i += index_step()) output[i] = function(inputs[i]...);
}

/// output[i] = function(inputs[i]...) for dense arrays; `output` may be one of the inputs.
template <class Function, class Out, class... In>
void map(Cuda device, std::int64_t n, Function function, Out* output, const In*... inputs) {
  constexpr int width = map_width<Out, In...>;
  const Context& ctx = context(device);
  const bool aligned = is_aligned<width>(output) && (is_aligned<width>(inputs) && ...);
  const std::int64_t packs = aligned ? n / width : 0;
  launch(map_kernel<width, Function, Out, In...>, Grid(blocks_for(std::max(packs, n - packs * width))), block_threads,
         0, ctx.stream, n, packs, function, output, inputs...);
}

/// `width` elements `stride` apart; the pack is aligned where they are neighbours.
template <int width, class T>
__device__ Pack<T, width> load_along(const T* from, std::int64_t stride) {
  if (stride == 1) return load_pack<width>(from);
  Pack<T, width> pack;
  for (int j = 0; j < width; ++j) pack[j] = from[j * stride];
  return pack;
}

template <int width, class Function, class Out, class... In, std::size_t... k>
__device__ void map_point(const Strided<sizeof...(In)>& space, std::int64_t i, Function function, Out* output,
                          std::index_sequence<k...>, const In*... inputs) {
  const auto offsets = offsets_at(space, i);
  const int inner = space.rank > 0 ? space.rank - 1 : 0;
  map_pack<width>(function, output + i, load_along<width>(inputs + offsets.of[k], space.stride[k][inner])...);
}

/// The innermost axis consists of whole packs.
template <int width, class Function, class Out, class... In>
__global__ void map_broadcast_kernel(Strided<sizeof...(In)> space, std::int64_t packs, Function function, Out* output,
                                     const In*... inputs) {
  for (std::int64_t i = first_index(); i < packs; i += index_step()) {
    map_point<width>(space, i * width, function, output, std::index_sequence_for<In...>(), inputs...);
  }
}

template <int operands>
bool is_dense(const Strided<operands>& space) {
  bool dense = space.rank <= 1;
  for (int k = 0; k < operands; ++k) dense = dense && (space.rank == 0 || space.stride[k][0] == 1);
  return dense;
}

/// Whether operand `k`, at `data`, can be read in packs along the innermost axis: as aligned neighbours or any other
/// way.
template <int width, int operands, class T>
bool operand_fits(const Strided<operands>& space, int k, const T* data) {
  const int inner = space.rank - 1;
  if (space.stride[k][inner] != 1) return true;
  bool fits = is_aligned<width>(data);
  for (int axis = 0; axis < inner; ++axis) fits = fits && space.stride[k][axis] % width == 0;
  return fits;
}

/// output[i] = function(inputs[i]...) over a space with one stride per input; the output is dense.
template <class Function, class Out, class... In>
void map_broadcast(Cuda device, const Strided<sizeof...(In)>& space, Function function, Out* output,
                   const In*... inputs) {
  constexpr int width = map_width<Out, In...>;
  const std::int64_t n = space.numel();
  if (is_dense(space)) return map(device, n, function, output, inputs...);
  const Context& ctx = context(device);
  int k = 0;
  const bool fits = space.size[space.rank - 1] % width == 0 && is_aligned<width>(output) &&
                    (operand_fits<width>(space, k++, inputs) && ...);
  if (fits) {
    launch(map_broadcast_kernel<width, Function, Out, In...>, Grid(blocks_for(n / width)), block_threads, 0, ctx.stream,
           space, n / width, function, output, inputs...);
  } else {
    launch(map_broadcast_kernel<1, Function, Out, In...>, Grid(blocks_for(n)), block_threads, 0, ctx.stream, space, n,
           function, output, inputs...);
  }
}

}  // namespace deft::kernels
