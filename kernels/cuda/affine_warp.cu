#include <algorithm>

#include "deft/kernels/affine_warp.h"
#include "deft/kernels/detail/affine_warp_value.h"
#include "deft/kernels/runtime/cuda/context.h"

namespace deft::kernels {
namespace cuda_affine_warp {

// A thread writes single elements, so that writes are coalesced for any number of channels; the images of a block row
// are gone through one after another.
template <class In, class T>
__global__ void affine_warp_kernel(AffineWarpShape s, const In* __restrict__ input, const T* __restrict__ matrix,
                                   const T* __restrict__ scale, const T* __restrict__ shift, const T* __restrict__ fill,
                                   T* __restrict__ output) {
  const bool replicate = s.border == Border::replicate;
  const std::int64_t size = s.h_out * s.w_out * s.c;
  for (std::int64_t n = blockIdx.y; n < s.n; n += gridDim.y) {
    const SourceAxis<T> x_axis(matrix + 6 * n, s.w), y_axis(matrix + 6 * n + 3, s.h);
    const WarpSource<In, T> source{input + n * s.h * s.w * s.c, s.h, s.w, s.c, scale, shift, fill};
    for (std::int64_t i = first_index(); i < size; i += index_step()) {
      const std::int64_t pixel = i / s.c, channel = i % s.c;
      const T x_out = centred<T>(pixel % s.w_out, s.w_out), y_out = centred<T>(pixel / s.w_out, s.h_out);
      const T x = x_axis(x_out, y_out), y = y_axis(x_out, y_out);
      T* const to = output + n * size + i;
      if (s.interpolation == Interpolation::nearest) {
        *to = source.nearest(nearest_pixel(y, static_cast<T>(s.h - 1), replicate),
                             nearest_pixel(x, static_cast<T>(s.w - 1), replicate), channel);
      } else {
        BilinearCell<T>(source, x, y, replicate).write(source, channel, channel + 1, [&](std::int64_t, T value) {
          *to = value;
        });
      }
    }
  }
}

}  // namespace cuda_affine_warp

template <class In, class T>
void affine_warp(Cuda device, const AffineWarpShape& s, const In* input, const T* matrix, const T* scale,
                 const T* shift, const T* fill, T* output) {
  constexpr std::int64_t most_block_rows = 65535;  // CUDA's limit
  const dim3 blocks(static_cast<unsigned>(blocks_for(s.h_out * s.w_out * s.c)),
                    static_cast<unsigned>(std::min(s.n, most_block_rows)));
  launch(cuda_affine_warp::affine_warp_kernel<In, T>, Grid(blocks), block_threads, 0, context(device).stream, s, input,
         matrix, scale, shift, fill, output);
}

#define DEFT_INSTANTIATE(In, T) \
  template void affine_warp<In, T>(Cuda, const AffineWarpShape&, const In*, const T*, const T*, const T*, const T*, T*);
DEFT_INSTANTIATE(std::uint8_t, float)
DEFT_INSTANTIATE(std::uint8_t, double)
DEFT_INSTANTIATE(float, float)
DEFT_INSTANTIATE(double, double)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
