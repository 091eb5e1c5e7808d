#include <type_traits>

#include "deft/kernels/cuda/channel_tiles.h"
#include "deft/kernels/cuda/vector_access.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/detail/pool_window.h"
#include "deft/kernels/pool2d.h"
#include "deft/kernels/runtime/cuda/context.h"

namespace deft::kernels {
namespace cuda_pool {

// V channels, from `channel` on, of the pixel or window (row, column) of an image.
struct Place {
  std::int64_t image, row, column, channel;
};

// Calls body(place, index of its first element) for all of an array [n, h, w, c], on all threads of the grid together.
template <int V, class Body>
__device__ void for_places(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c, const Body& body) {
  const std::int64_t vectors = c / V, count = n * h * w * vectors;
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    const std::int64_t pixel = i / vectors, row = pixel / w;
    body(Place{row / h, row % h, pixel % w, i % vectors * V}, i * V);
  }
}

// One place is a window.
template <int V, class Windows, class Body>
__device__ void for_windows(const PoolWindows<Windows>& p, const Body& body) {
  for_places<V>(p.n, p.rows.count, p.columns.count, p.c, body);
}

// One place is a pixel: gradients are gathered from the windows that hold it, so that nothing is zeroed first, no two
// threads write the same element, and sums are always taken in the same order.
template <int V, class Windows, class Body>
__device__ void for_pixels(const PoolWindows<Windows>& p, const Body& body) {
  for_places<V>(p.n, p.rows.size, p.columns.size, p.c, body);
}

template <class T, class Tap, int V>
__global__ void max_pool2d_forward_kernel(PoolWindows<FixedWindows> p, const T* __restrict__ input,
                                          T* __restrict__ output, Tap* __restrict__ taps) {
  using Wide = std::conditional_t<sizeof(Tap) == 1, int, Tap>;
  for_windows<V>(p, [&](const Place& at, std::int64_t element) {
    const WindowSpan rows = p.rows.span(at.row), columns = p.columns.span(at.column);
    const T* const image = input + at.image * p.image_size() + at.channel;
    const auto pixel_at = [&](std::int64_t y, std::int64_t x) {
      return load_pack<V>(image + (y * p.columns.size + x) * p.c);
    };
    const auto tap_at = [&](std::int64_t y, std::int64_t x) {
      return static_cast<Wide>((y - rows.origin) * p.columns.kernel + x - columns.origin);
    };
    Pack<T, V> best = pixel_at(rows.begin, columns.begin);
    Wide winner[V];
    for (int k = 0; k < V; ++k) winner[k] = tap_at(rows.begin, columns.begin);
    for (std::int64_t y = rows.begin; y < rows.end; ++y) {
      for (std::int64_t x = columns.begin; x < columns.end; ++x) {
        const Pack<T, V> pixel = pixel_at(y, x);
        for (int k = 0; k < V; ++k) {
          const bool wins = pixel[k] > best[k] || pixel[k] != pixel[k];
          best[k] = wins ? pixel[k] : best[k];
          winner[k] = wins ? tap_at(y, x) : winner[k];
        }
      }
    }
    Pack<Tap, V> winners;
    for (int k = 0; k < V; ++k) winners[k] = static_cast<Tap>(winner[k]);
    store_pack<V>(output + element, best);
    store_pack<V>(taps + element, winners);
  });
}

template <class T, class Tap, int V>
__global__ void max_pool2d_backward_kernel(PoolWindows<FixedWindows> p, const T* __restrict__ grad_output,
                                           const Tap* __restrict__ taps, T* __restrict__ grad_input) {
  for_pixels<V>(p, [&](const Place& at, std::int64_t element) {
    const WindowRange rows = p.rows.holding(at.row), columns = p.columns.holding(at.column);
    Pack<T, V> grad{};
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      const std::int64_t row_tap = (at.row - p.rows.span(i).origin) * p.columns.kernel;
      for (std::int64_t j = columns.begin; j < columns.end; ++j) {
        const std::int64_t from = at.image * p.output_size() + (i * p.columns.count + j) * p.c + at.channel;
        const auto tap = static_cast<Tap>(row_tap + at.column - p.columns.span(j).origin);
        const Pack<T, V> window = load_pack<V>(grad_output + from);
        const Pack<Tap, V> winners = load_pack<V>(taps + from);
        for (int k = 0; k < V; ++k) grad[k] += winners[k] == tap ? window[k] : T(0);
      }
    }
    store_pack<V>(grad_input + element, grad);
  });
}

template <class T, int V, class Windows>
__global__ void mean_forward_kernel(PoolWindows<Windows> p, const T* __restrict__ input, T* __restrict__ output) {
  for_windows<V>(p, [&](const Place& at, std::int64_t element) {
    const WindowSpan rows = p.rows.span(at.row), columns = p.columns.span(at.column);
    const T* const image = input + at.image * p.image_size() + at.channel;
    Pack<T, V> mean{};
    for (std::int64_t y = rows.begin; y < rows.end; ++y) {
      for (std::int64_t x = columns.begin; x < columns.end; ++x) {
        const Pack<T, V> pixel = load_pack<V>(image + (y * p.columns.size + x) * p.c);
        for (int k = 0; k < V; ++k) mean[k] += pixel[k];
      }
    }
    const auto count = static_cast<T>(rows.extent * columns.extent);
    for (int k = 0; k < V; ++k) mean[k] /= count;
    store_pack<V>(output + element, mean);
  });
}

// The same with a block for every window and tile of channels: large windows are few, and each needs many threads.
template <class T, int V, class Windows>
__global__ void mean_of_large_windows_kernel(PoolWindows<Windows> p, ChannelTiles tiles, const T* __restrict__ input,
                                             T* __restrict__ output) {
  const std::int64_t windows = p.n * p.rows.count * p.columns.count, blocks = windows * tiles.count();
  for (std::int64_t block = blockIdx.x; block < blocks; block += gridDim.x) {
    const std::int64_t window = block / tiles.count(), row = window / p.columns.count;
    const std::int64_t vector = block % tiles.count() * tiles.lanes + threadIdx.x;
    const WindowSpan rows = p.rows.span(row % p.rows.count), columns = p.columns.span(window % p.columns.count);
    const std::int64_t width = columns.end - columns.begin, pixels = (rows.end - rows.begin) * width;
    T mean[V] = {};
    if (vector < tiles.vectors) {
      const T* const image = input + row / p.rows.count * p.image_size() + vector * V;
      for (std::int64_t i = threadIdx.y; i < pixels; i += blockDim.y) {
        const std::int64_t y = rows.begin + i / width, x = columns.begin + i % width;
        const Pack<T, V> pixel = load_pack<V>(image + (y * p.columns.size + x) * p.c);
        for (int k = 0; k < V; ++k) mean[k] += pixel[k];
      }
    }
    sum_over_rows(mean);
    if (threadIdx.y == 0 && vector < tiles.vectors) {
      Pack<T, V> result;
      for (int k = 0; k < V; ++k) result[k] = mean[k] / static_cast<T>(rows.extent * columns.extent);
      store_pack<V>(output + window * p.c + vector * V, result);
    }
  }
}

template <class T, int V, class Windows>
__global__ void mean_backward_kernel(PoolWindows<Windows> p, const T* __restrict__ grad_output,
                                     T* __restrict__ grad_input) {
  for_pixels<V>(p, [&](const Place& at, std::int64_t element) {
    const WindowRange rows = p.rows.holding(at.row), columns = p.columns.holding(at.column);
    Pack<T, V> grad{};
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      const std::int64_t height = p.rows.span(i).extent;
      for (std::int64_t j = columns.begin; j < columns.end; ++j) {
        const T share = T(1) / static_cast<T>(height * p.columns.span(j).extent);
        const std::int64_t from = at.image * p.output_size() + (i * p.columns.count + j) * p.c + at.channel;
        const Pack<T, V> window = load_pack<V>(grad_output + from);
        for (int k = 0; k < V; ++k) grad[k] += window[k] * share;
      }
    }
    store_pack<V>(grad_input + element, grad);
  });
}

}  // namespace cuda_pool

namespace {

// From this many pixels on a window is shared out among threads.
constexpr std::int64_t large_window = 64;

template <class T, class Windows>
void mean_forward(Cuda device, const PoolWindows<Windows>& p, std::int64_t window_pixels, const T* input, T* output) {
  const Context& ctx = context(device);
  const std::int64_t windows = p.n * p.rows.count * p.columns.count;
  with_pack_width<T>(
      p.c,
      [&](auto width) {
        constexpr int V = width();
        if (window_pixels < large_window) {
          launch(cuda_pool::mean_forward_kernel<T, V, Windows>, Grid(blocks_for(windows * p.c / V)), block_threads, 0,
                 ctx.stream, p, input, output);
        } else {
          const ChannelTiles tiles(p.c, V);
          launch(cuda_pool::mean_of_large_windows_kernel<T, V, Windows>, Grid(blocks_for(windows * tiles.count(), 1)),
                 tiles.threads(), 0, ctx.stream, p, tiles, input, output);
        }
      },
      input, output);
}

template <class T, class Windows>
void mean_backward(Cuda device, const PoolWindows<Windows>& p, const T* grad_output, T* grad_input) {
  with_pack_width<T>(
      p.c,
      [&](auto width) {
        constexpr int V = width();
        launch(cuda_pool::mean_backward_kernel<T, V, Windows>, Grid(blocks_for(p.n * p.image_size() / V)),
               block_threads, 0, context(device).stream, p, grad_output, grad_input);
      },
      grad_output, grad_input);
}

}  // namespace

template <class T, class Tap>
void max_pool2d_forward(Cuda device, const Pool2dShape& shape, const T* input, T* output, Tap* taps) {
  const auto p = pool_windows(shape, false);
  with_pack_width<T>(
      p.c,
      [&](auto width) {
        constexpr int V = width();
        launch(cuda_pool::max_pool2d_forward_kernel<T, Tap, V>, Grid(blocks_for(p.n * p.output_size() / V)),
               block_threads, 0, context(device).stream, p, input, output, taps);
      },
      input, output, taps);
}

template <class T, class Tap>
void max_pool2d_backward(Cuda device, const Pool2dShape& shape, const T* grad_output, const Tap* taps, T* grad_input) {
  const auto p = pool_windows(shape, false);
  with_pack_width<T>(
      p.c,
      [&](auto width) {
        constexpr int V = width();
        launch(cuda_pool::max_pool2d_backward_kernel<T, Tap, V>, Grid(blocks_for(p.n * p.image_size() / V)),
               block_threads, 0, context(device).stream, p, grad_output, taps, grad_input);
      },
      grad_output, taps, grad_input);
}

template <class T>
void avg_pool2d_forward(Cuda device, const Pool2dShape& shape, bool count_include_pad, const T* input, T* output) {
  mean_forward(device, pool_windows(shape, count_include_pad), shape.taps(), input, output);
}

template <class T>
void avg_pool2d_backward(Cuda device, const Pool2dShape& shape, bool count_include_pad, const T* grad_output,
                         T* grad_input) {
  mean_backward(device, pool_windows(shape, count_include_pad), grad_output, grad_input);
}

template <class T>
void adaptive_avg_pool2d_forward(Cuda device, const AdaptivePool2dShape& shape, const T* input, T* output) {
  const std::int64_t window_pixels = shape.h * shape.w / (shape.h_out * shape.w_out);
  mean_forward(device, pool_windows(shape), window_pixels, input, output);
}

template <class T>
void adaptive_avg_pool2d_backward(Cuda device, const AdaptivePool2dShape& shape, const T* grad_output, T* grad_input) {
  mean_backward(device, pool_windows(shape), grad_output, grad_input);
}

#define DEFT_INSTANTIATE_MAX(T, Tap)                                                      \
  template void max_pool2d_forward<T, Tap>(Cuda, const Pool2dShape&, const T*, T*, Tap*); \
  template void max_pool2d_backward<T, Tap>(Cuda, const Pool2dShape&, const T*, const Tap*, T*);
#define DEFT_INSTANTIATE(T)                                                                     \
  DEFT_INSTANTIATE_MAX(T, std::uint8_t)                                                         \
  DEFT_INSTANTIATE_MAX(T, std::int64_t)                                                         \
  template void avg_pool2d_forward<T>(Cuda, const Pool2dShape&, bool, const T*, T*);            \
  template void avg_pool2d_backward<T>(Cuda, const Pool2dShape&, bool, const T*, T*);           \
  template void adaptive_avg_pool2d_forward<T>(Cuda, const AdaptivePool2dShape&, const T*, T*); \
  template void adaptive_avg_pool2d_backward<T>(Cuda, const AdaptivePool2dShape&, const T*, T*);
DEFT_INSTANTIATE_FLOATING(DEFT_INSTANTIATE)
#undef DEFT_INSTANTIATE
#undef DEFT_INSTANTIATE_MAX

}  // namespace deft::kernels
