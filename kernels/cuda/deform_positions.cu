#include <cmath>

#include "deft/kernels/cuda/strided_index.h"
#include "deft/kernels/deform_positions.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cuda/context.h"

namespace deft::kernels {
namespace cuda_deform_positions {

/// Element `i` of the prediction: its place among the offsets of all points or, if `in_mask`, among the mask's values.
struct Place {
  std::int64_t index;
  bool in_mask;
};

__device__ inline Place place_of(std::int64_t i, std::int64_t taps) {
  const std::int64_t point = quotient(i, 3 * taps), column = i - point * 3 * taps;
  if (column < 2 * taps) return {point * 2 * taps + column, false};
  return {point * taps + column - 2 * taps, true};
}

template <class T>
__global__ void forward_kernel(std::int64_t n, std::int64_t taps, T limit, T scale, const T* prediction, T* offset,
                               T* mask) {
  for (std::int64_t i = first_index(); i < n; i += index_step()) {
    const Place place = place_of(i, taps);
    const T x = prediction[i];
    if (place.in_mask) {
      mask[place.index] = scale / (1 + std::exp(-x));
    } else {
      offset[place.index] = x < -limit ? -limit : x > limit ? limit : x;
    }
  }
}

template <class T>
__global__ void backward_kernel(std::int64_t n, std::int64_t taps, bool clamped, T limit, T inverse_scale,
                                const T* grad_offset, const T* grad_mask, const T* prediction, const T* mask,
                                T* grad_prediction) {
  for (std::int64_t i = first_index(); i < n; i += index_step()) {
    const Place place = place_of(i, taps);
    if (place.in_mask) {
      const T value = mask[place.index];
      grad_prediction[i] = grad_mask[place.index] * value * (1 - value * inverse_scale);
    } else {
      const bool passes = !clamped || (prediction[i] >= -limit && prediction[i] <= limit);
      grad_prediction[i] = passes ? grad_offset[place.index] : T(0);
    }
  }
}

}  // namespace cuda_deform_positions

template <class T>
void deform_positions_forward(Cuda device, const DeformPositionsShape& s, const T* prediction, T* offset, T* mask) {
  const std::int64_t n = s.points * 3 * s.taps;
  launch(cuda_deform_positions::forward_kernel<T>, Grid(blocks_for(n)), block_threads, 0, context(device).stream, n,
         s.taps, static_cast<T>(s.offset_limit), static_cast<T>(s.mask_scale), prediction, offset, mask);
}

template <class T>
void deform_positions_backward(Cuda device, const DeformPositionsShape& s, const T* grad_offset, const T* grad_mask,
                               const T* prediction, const T* mask, T* grad_prediction) {
  const std::int64_t n = s.points * 3 * s.taps;
  const T inverse_scale = s.mask_scale == 0 ? T(0) : static_cast<T>(1 / s.mask_scale);
  launch(cuda_deform_positions::backward_kernel<T>, Grid(blocks_for(n)), block_threads, 0, context(device).stream, n,
         s.taps, !std::isinf(s.offset_limit), static_cast<T>(s.offset_limit), inverse_scale, grad_offset, grad_mask,
         prediction, mask, grad_prediction);
}

#define DEFT_FLOATING(T)                                                                                      \
  template void deform_positions_forward<T>(Cuda, const DeformPositionsShape&, const T*, T*, T*);             \
  template void deform_positions_backward<T>(Cuda, const DeformPositionsShape&, const T*, const T*, const T*, \
                                             const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
