#include "deft/kernels/deform_positions.h"

#include <cmath>

#include "deft/kernels/cpu/math.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cpu/kernel.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels {

using namespace DEFT_SIMD;

template <class T>
void deform_positions_forward(Set, const DeformPositionsShape& s, const T* prediction, T* offset, T* mask) {
  const std::int64_t taps = s.taps;
  const T limit = static_cast<T>(s.offset_limit), scale = static_cast<T>(s.mask_scale);
  parallel_blocks(s.points, rows_per_block(3 * taps), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t point = begin; point < end; ++point) {
      const T* const from = prediction + point * 3 * taps;
#pragma omp simd
      for (std::int64_t i = 0; i < 2 * taps; ++i) {
        const T x = from[i];
        offset[point * 2 * taps + i] = x < -limit ? -limit : x > limit ? limit : x;
      }
      for (std::int64_t i = 0; i < taps; ++i) mask[point * taps + i] = from[2 * taps + i];
    }
    // In a loop of its own, since rows are shorter than vectors.
#pragma omp simd
    for (std::int64_t i = begin * taps; i < end * taps; ++i) mask[i] = scale / (1 + math::exp(-mask[i]));
  });
}

template <class T>
void deform_positions_backward(Set, const DeformPositionsShape& s, const T* grad_offset, const T* grad_mask,
                               const T* prediction, const T* mask, T* grad_prediction) {
  const std::int64_t taps = s.taps;
  const T limit = static_cast<T>(s.offset_limit);
  const bool clamped = !std::isinf(s.offset_limit);
  const T inverse_scale = s.mask_scale == 0 ? T(0) : static_cast<T>(1 / s.mask_scale);
  parallel_blocks(s.points, rows_per_block(3 * taps), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t point = begin; point < end; ++point) {
      const T* const from = prediction + point * 3 * taps;
      T* const to = grad_prediction + point * 3 * taps;
#pragma omp simd
      for (std::int64_t i = 0; i < 2 * taps; ++i) {
        const bool passes = !clamped || (from[i] >= -limit && from[i] <= limit);
        to[i] = passes ? grad_offset[point * 2 * taps + i] : T(0);
      }
#pragma omp simd
      for (std::int64_t i = 0; i < taps; ++i) {
        const T value = mask[point * taps + i];
        to[2 * taps + i] = grad_mask[point * taps + i] * value * (1 - value * inverse_scale);
      }
    }
  });
}

#define DEFT_FLOATING(T)                                                                      \
  template void deform_positions_forward(Set, const DeformPositionsShape&, const T*, T*, T*); \
  template void deform_positions_backward(Set, const DeformPositionsShape&, const T*, const T*, const T*, const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
