#include "deft/kernels/pool2d.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "deft/kernels/instantiate.h"
#include "deft/kernels/parallel_for.h"
#include "deft/kernels/pool_window.h"

namespace deft::kernels {
namespace {

// One axis of a pooling, with what its windows cover and which windows hold each pixel.
struct Axis {
  template <class Windows>
  explicit Axis(const Windows& windows) {
    for (std::int64_t i = 0; i < windows.count; ++i) spans.push_back(windows.span(i));
    for (std::int64_t i = 0; i < windows.size; ++i) holding.push_back(windows.holding(i));
  }

  std::vector<WindowSpan> spans;
  std::vector<WindowRange> holding;
};

struct Axes {
  template <class Windows>
  explicit Axes(const PoolWindows<Windows>& p)
      : rows(p.rows), columns(p.columns), n(p.n), h(p.rows.size), w(p.columns.size), c(p.c) {}

  Axis rows, columns;
  std::int64_t n, h, w, c;

  std::int64_t h_out() const { return static_cast<std::int64_t>(rows.spans.size()); }
  std::int64_t w_out() const { return static_cast<std::int64_t>(columns.spans.size()); }
};

// Calls body(image, output row) for all of them.
template <class Body>
void for_output_rows(const Axes& a, const Body& body) {
  const std::int64_t block = rows_per_block(a.h * a.w * a.c / std::max<std::int64_t>(a.h_out(), 1));
  parallel_blocks(a.n * a.h_out(), block, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(i / a.h_out(), i % a.h_out());
  });
}

// Calls body(pixel of the image, window rows, window columns, image) for every input pixel: gradients are gathered from
// the windows that hold the pixel, so that nothing is zeroed first and no two threads write the same place.
template <class Body>
void for_input_pixels(const Axes& a, const Body& body) {
  parallel_blocks(a.n * a.h, rows_per_block(a.w * a.c), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t y = i % a.h;
      for (std::int64_t x = 0; x < a.w; ++x) {
        body(i / a.h, y, x, a.rows.holding[static_cast<std::size_t>(y)],
             a.columns.holding[static_cast<std::size_t>(x)]);
      }
    }
  });
}

// Channels are handled in tiles that stay in registers. Calls body(first channel, number of channels) for each; the
// number is a compile-time constant for all but the last.
constexpr std::int64_t tile_size = 32;

template <class Body>
void for_tiles(std::int64_t channels, const Body& body) {
  std::int64_t c = 0;
  for (; c + tile_size <= channels; c += tile_size) body(c, std::integral_constant<std::int64_t, tile_size>());
  if (c < channels) body(c, channels - c);
}

// A tap as wide as T, so that values and taps are chosen by the same comparison.
template <class T, class Tap>
using WideTap = std::conditional_t<sizeof(T) == 4 && sizeof(Tap) == 1, std::int32_t, std::int64_t>;

// Winner and its tap of one window, for the `n` channels from `image` on.
template <class T, class Tap, class Channels>
void max_of_window(const T* __restrict image, const Axes& a, std::int64_t kernel_w, WindowSpan rows, WindowSpan columns,
                   Channels n, T* __restrict output, Tap* __restrict taps) {
  using Wide = WideTap<T, Tap>;
  const std::int64_t c = a.c, w = a.w;
  T best[tile_size];
  Wide winner[tile_size];
  const T* first = image + (rows.begin * w + columns.begin) * c;
  const auto first_tap = static_cast<Wide>((rows.begin - rows.origin) * kernel_w + columns.begin - columns.origin);
  for (std::int64_t k = 0; k < n; ++k) {
    best[k] = first[k];
    winner[k] = first_tap;
  }
  for (std::int64_t y = rows.begin; y < rows.end; ++y) {
    for (std::int64_t x = columns.begin; x < columns.end; ++x) {
      const T* pixel = image + (y * w + x) * c;
      const auto tap = static_cast<Wide>((y - rows.origin) * kernel_w + x - columns.origin);
      for (std::int64_t k = 0; k < n; ++k) {
        const bool wins = (pixel[k] > best[k]) | (pixel[k] != pixel[k]);
        best[k] = wins ? pixel[k] : best[k];
        winner[k] = wins ? tap : winner[k];
      }
    }
  }
  for (std::int64_t k = 0; k < n; ++k) {
    output[k] = best[k];
    taps[k] = static_cast<Tap>(winner[k]);
  }
}

// Sets `grad` to a window's gradient in the channels where `tap` won and to 0 elsewhere, or adds it.
template <bool add, class T, class Tap, class Channels>
void gradient_where_won(const T* __restrict grad_window, const Tap* __restrict taps, WideTap<T, Tap> tap, Channels n,
                        T* __restrict grad) {
  for (std::int64_t k = 0; k < n; ++k) {
    const T window = grad_window[k];
    const T won = static_cast<WideTap<T, Tap>>(taps[k]) == tap ? window : T(0);
    grad[k] = add ? grad[k] + won : won;
  }
}

template <class T>
void mean_of_window(const T* image, std::int64_t w, std::int64_t c, const WindowSpan& rows, const WindowSpan& columns,
                    T* output) {
  std::fill_n(output, c, T(0));
  for (std::int64_t y = rows.begin; y < rows.end; ++y) {
    for (std::int64_t x = columns.begin; x < columns.end; ++x) {
      const T* pixel = image + (y * w + x) * c;
      for (std::int64_t i = 0; i < c; ++i) output[i] += pixel[i];
    }
  }
  const auto count = static_cast<T>(rows.extent * columns.extent);
  for (std::int64_t i = 0; i < c; ++i) output[i] /= count;
}

template <class T>
void mean_forward(const Axes& a, const T* input, T* output) {
  for_output_rows(a, [&](std::int64_t n, std::int64_t row) {
    T* out = output + (n * a.h_out() + row) * a.w_out() * a.c;
    for (const WindowSpan& column : a.columns.spans) {
      mean_of_window(input + n * a.h * a.w * a.c, a.w, a.c, a.rows.spans[static_cast<std::size_t>(row)], column, out);
      out += a.c;
    }
  });
}

template <class T>
void mean_backward(const Axes& a, const T* grad_output, T* grad_input) {
  for_input_pixels(a, [&](std::int64_t n, std::int64_t y, std::int64_t x, WindowRange rows, WindowRange columns) {
    T* grad = grad_input + ((n * a.h + y) * a.w + x) * a.c;
    std::fill_n(grad, a.c, T(0));
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      for (std::int64_t j = columns.begin; j < columns.end; ++j) {
        const std::int64_t count =
            a.rows.spans[static_cast<std::size_t>(i)].extent * a.columns.spans[static_cast<std::size_t>(j)].extent;
        const T share = T(1) / static_cast<T>(count);
        const T* window = grad_output + ((n * a.h_out() + i) * a.w_out() + j) * a.c;
        for (std::int64_t k = 0; k < a.c; ++k) grad[k] += window[k] * share;
      }
    }
  });
}

}  // namespace

template <class T, class Tap>
void max_pool2d_forward(Cpu, const Pool2dShape& shape, const T* input, T* output, Tap* taps) {
  const Axes a(pool_windows(shape, false));
  for_output_rows(a, [&](std::int64_t n, std::int64_t row) {
    std::int64_t at = (n * a.h_out() + row) * a.w_out() * a.c;
    for (const WindowSpan& column : a.columns.spans) {
      for_tiles(a.c, [&](std::int64_t c, auto channels) {
        max_of_window(input + n * a.h * a.w * a.c + c, a, shape.kernel_w, a.rows.spans[static_cast<std::size_t>(row)],
                      column, channels, output + at + c, taps + at + c);
      });
      at += a.c;
    }
  });
}

template <class T, class Tap>
void max_pool2d_backward(Cpu, const Pool2dShape& shape, const T* grad_output, const Tap* taps, T* grad_input) {
  const Axes a(pool_windows(shape, false));
  for_input_pixels(a, [&](std::int64_t n, std::int64_t y, std::int64_t x, WindowRange rows, WindowRange columns) {
    for_tiles(a.c, [&](std::int64_t c, auto channels) {
      T* grad = grad_input + ((n * a.h + y) * a.w + x) * a.c + c;
      bool first = true;
      for (std::int64_t i = rows.begin; i < rows.end; ++i) {
        for (std::int64_t j = columns.begin; j < columns.end; ++j) {
          const std::int64_t at = ((n * a.h_out() + i) * a.w_out() + j) * a.c + c;
          const auto tap =
              static_cast<WideTap<T, Tap>>((y - a.rows.spans[static_cast<std::size_t>(i)].origin) * shape.kernel_w + x -
                                           a.columns.spans[static_cast<std::size_t>(j)].origin);
          if (first) {
            gradient_where_won<false>(grad_output + at, taps + at, tap, channels, grad);
          } else {
            gradient_where_won<true>(grad_output + at, taps + at, tap, channels, grad);
          }
          first = false;
        }
      }
      if (first) std::fill_n(grad, std::int64_t{channels}, T(0));
    });
  });
}

template <class T>
void avg_pool2d_forward(Cpu, const Pool2dShape& shape, bool count_include_pad, const T* input, T* output) {
  mean_forward(Axes(pool_windows(shape, count_include_pad)), input, output);
}

template <class T>
void avg_pool2d_backward(Cpu, const Pool2dShape& shape, bool count_include_pad, const T* grad_output, T* grad_input) {
  mean_backward(Axes(pool_windows(shape, count_include_pad)), grad_output, grad_input);
}

template <class T>
void adaptive_avg_pool2d_forward(Cpu, const AdaptivePool2dShape& shape, const T* input, T* output) {
  mean_forward(Axes(pool_windows(shape)), input, output);
}

template <class T>
void adaptive_avg_pool2d_backward(Cpu, const AdaptivePool2dShape& shape, const T* grad_output, T* grad_input) {
  mean_backward(Axes(pool_windows(shape)), grad_output, grad_input);
}

#define DEFT_INSTANTIATE_MAX(T, Tap)                                                     \
  template void max_pool2d_forward<T, Tap>(Cpu, const Pool2dShape&, const T*, T*, Tap*); \
  template void max_pool2d_backward<T, Tap>(Cpu, const Pool2dShape&, const T*, const Tap*, T*);
#define DEFT_INSTANTIATE(T)                                                                    \
  DEFT_INSTANTIATE_MAX(T, std::uint8_t)                                                        \
  DEFT_INSTANTIATE_MAX(T, std::int64_t)                                                        \
  template void avg_pool2d_forward<T>(Cpu, const Pool2dShape&, bool, const T*, T*);            \
  template void avg_pool2d_backward<T>(Cpu, const Pool2dShape&, bool, const T*, T*);           \
  template void adaptive_avg_pool2d_forward<T>(Cpu, const AdaptivePool2dShape&, const T*, T*); \
  template void adaptive_avg_pool2d_backward<T>(Cpu, const AdaptivePool2dShape&, const T*, T*);
DEFT_INSTANTIATE_FLOATING(DEFT_INSTANTIATE)
#undef DEFT_INSTANTIATE
#undef DEFT_INSTANTIATE_MAX

}  // namespace deft::kernels
