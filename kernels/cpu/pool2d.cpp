#include "deft/kernels/pool2d.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "deft/kernels/cpu/channel_groups.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/detail/pool_window.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/cpu/kernel.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

// One axis of a pooling, with what its windows cover and which windows hold each pixel.
struct Axis {
  template <class Windows>
  explicit Axis(const Windows& windows)
      : count(windows.count), size(windows.size), spans(windows.count), holding(windows.size) {
    for (std::int64_t i = 0; i < count; ++i) spans[i] = windows.span(i);
    for (std::int64_t i = 0; i < size; ++i) holding[i] = windows.holding(i);
  }

  // Of the windows, for loops over them.
  const WindowSpan* begin() const { return spans.data(); }
  const WindowSpan* end() const { return spans.data() + count; }

  std::int64_t count, size;  // windows, pixels
  Scratch<WindowSpan> spans;
  Scratch<WindowRange> holding;
};

struct Axes {
  template <class Windows>
  explicit Axes(const PoolWindows<Windows>& p)
      : rows(p.rows), columns(p.columns), n(p.n), h(p.rows.size), w(p.columns.size), c(p.c) {}

  Axis rows, columns;
  std::int64_t n, h, w, c;

  std::int64_t h_out() const { return rows.count; }
  std::int64_t w_out() const { return columns.count; }
};

// Whether windows neither overlap on an axis nor leave a pixel out.
inline bool windows_tile(const Axis& axis) {
  for (std::int64_t i = 0; i < axis.size; ++i) {
    if (axis.holding[i].end - axis.holding[i].begin != 1) return false;
  }
  return true;
}

// Calls body(image, output row) for all of them.
template <class Body>
void for_output_rows(const Axes& a, const Body& body) {
  const std::int64_t block = rows_per_block(a.h * a.w * a.c / std::max<std::int64_t>(a.h_out(), 1));
  parallel_blocks(a.n * a.h_out(), block, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(i / a.h_out(), i % a.h_out());
  });
}

// Integers as wide as V's elements: places in a window, so that they are chosen by the same comparison as the values.
template <class V>
struct PlacesOf {
  using type = decltype(V{} < V{});
};
template <>
struct PlacesOf<float> {
  using type = std::int32_t;
};
template <>
struct PlacesOf<double> {
  using type = std::int64_t;
};
template <class V>
using Places = typename PlacesOf<V>::type;

template <class Tap, int lanes>
struct TapVector {
  typedef Tap type __attribute__((vector_size(lanes * sizeof(Tap))));
};

template <class Tap, class P>
inline void store_taps(Tap* to, P places) {
  if constexpr (std::is_arithmetic_v<P>) {
    *to = static_cast<Tap>(places);
  } else {
    const auto narrow = __builtin_convertvector(places, typename TapVector<Tap, sizeof(P) / sizeof(places[0])>::type);
    __builtin_memcpy(to, &narrow, sizeof narrow);
  }
}

template <class P, class Tap>
inline P load_taps(const Tap* from) {
  if constexpr (std::is_arithmetic_v<P>) {
    return static_cast<P>(*from);
  } else {
    constexpr int lanes = sizeof(P) / sizeof(P{}[0]);
    typename TapVector<Tap, lanes>::type taps;
    __builtin_memcpy(&taps, from, sizeof taps);
    if constexpr (sizeof(Tap) == 1) {  // in two steps, since GCC 12 makes dozens of instructions of one
      return __builtin_convertvector(__builtin_convertvector(taps, typename TapVector<std::uint16_t, lanes>::type), P);
    } else {
      return __builtin_convertvector(taps, P);
    }
  }
}

// The loops below are functions of their own, over a row of windows for one kind of groups: inlined into their callers
// for every kind they would run out of registers.

// How far ahead of a pixel its row is prefetched: processors do not foresee stores, nor loads that go to and fro
// between the rows of a window.
template <class T>
constexpr std::int64_t prefetched = 4096 / sizeof(T);

// Winners and their taps. `image`, `output` and `taps` are at the first channel.
template <class V, int count, class T, class Tap>
__attribute__((noinline)) void max_of_windows(Groups<V, count> groups, const T* image, const Axes& a,
                                              std::int64_t kernel_w, const WindowSpan rows, T* output, Tap* taps) {
  using P = Places<V>;
  const std::int64_t w = a.w, c = a.c;
  for (const WindowSpan columns : a.columns) {
    const std::int64_t tap_before = -columns.origin - rows.origin * kernel_w;  // tap of the image's pixel (0, 0)
    for (std::int64_t at = 0; at < groups.channels; at += count * width<V, T>) {
      V best[count];
      P winner[count];
      DEFT_UNROLL
      for (int k = 0; k < count; ++k) {
        best[k] = V{} - std::numeric_limits<T>::infinity();
        winner[k] = P{} + static_cast<Integer<T>>(tap_before + rows.begin * kernel_w + columns.begin);
      }
      for (std::int64_t y = rows.begin; y < rows.end; ++y) {
        const T* pixel = image + (y * w + columns.begin) * c + at;
        P tap = P{} + static_cast<Integer<T>>(tap_before + y * kernel_w + columns.begin);
        for (std::int64_t x = columns.begin; x < columns.end; ++x, pixel += c, tap += 1) {
          DEFT_UNROLL
          for (int k = 0; k < count; ++k) {
            __builtin_prefetch(pixel + k * width<V, T> + prefetched<T>);
            const V value = load_as<V>(pixel + k * width<V, T>);
            winner[k] = value > best[k] ? tap : winner[k];
            winner[k] = value != value ? tap : winner[k];
            best[k] = value > best[k] ? value : best[k];
            best[k] = value != value ? value : best[k];
          }
        }
      }
      DEFT_UNROLL
      for (int k = 0; k < count; ++k) {
        store_as(output + at + k * width<V, T>, best[k]);
        store_taps(taps + at + k * width<V, T>, winner[k]);
      }
    }
    output += c;
    taps += c;
  }
}

// Rows of the image that get their part of the gradients of a row of windows; written where no other row of windows has
// one, else added.
template <class T>
struct GradientRows {
  T* image;  // at the first channel
  std::int64_t begin, end;
  bool add;
};

template <class V, class T>
inline void give(const GradientRows<T>& rows, V gradient, T* pixel) {
  __builtin_prefetch(pixel + prefetched<T>, 1);
  store_as(pixel, rows.add ? load_as<V>(pixel) + gradient : gradient);
}

// Gives the gradients of a row of windows to the pixels that won.
template <class V, int count, class T, class Tap>
__attribute__((noinline)) void give_to_winners(Groups<V, count> groups, const T* grad_output, const Tap* taps,
                                               const Axes& a, std::int64_t kernel_w, const WindowSpan window_rows,
                                               const GradientRows<T> rows) {
  using P = Places<V>;
  const std::int64_t w = a.w, c = a.c;
  for (const WindowSpan columns : a.columns) {
    for (std::int64_t at = 0; at < groups.channels; at += count * width<V, T>) {
      V gradient[count];
      P winner[count];
      DEFT_UNROLL
      for (int k = 0; k < count; ++k) {
        gradient[k] = load_as<V>(grad_output + at + k * width<V, T>);
        winner[k] = load_taps<P>(taps + at + k * width<V, T>);
      }
      for (std::int64_t y = rows.begin; y < rows.end; ++y) {
        P tap = P{} + static_cast<Integer<T>>((y - window_rows.origin) * kernel_w + columns.begin - columns.origin);
        T* pixel = rows.image + (y * w + columns.begin) * c + at;
        for (std::int64_t x = columns.begin; x < columns.end; ++x, pixel += c, tap += 1) {
          DEFT_UNROLL
          for (int k = 0; k < count; ++k) {
            give(rows, winner[k] == tap ? gradient[k] : V{}, pixel + k * width<V, T>);
          }
        }
      }
    }
    grad_output += c;
    taps += c;
  }
}

template <class V, int count, class T>
__attribute__((noinline)) void mean_of_windows(Groups<V, count> groups, const T* image, const Axes& a,
                                               const WindowSpan rows, T* output) {
  const std::int64_t w = a.w, c = a.c;
  for (const WindowSpan columns : a.columns) {
    const auto extent = static_cast<T>(rows.extent * columns.extent);
    for (std::int64_t at = 0; at < groups.channels; at += count * width<V, T>) {
      V sum[count] = {};
      for (std::int64_t y = rows.begin; y < rows.end; ++y) {
        const T* pixel = image + (y * w + columns.begin) * c + at;
        for (std::int64_t x = columns.begin; x < columns.end; ++x, pixel += c) {
          DEFT_UNROLL
          for (int k = 0; k < count; ++k) {
            __builtin_prefetch(pixel + k * width<V, T> + prefetched<T>);
            sum[k] += load_as<V>(pixel + k * width<V, T>);
          }
        }
      }
      DEFT_UNROLL
      for (int k = 0; k < count; ++k) store_as(output + at + k * width<V, T>, sum[k] / extent);
    }
    output += c;
  }
}

// Gives its share of the gradients of a row of windows to every pixel.
template <class V, int count, class T>
__attribute__((noinline)) void give_shares(Groups<V, count> groups, const T* grad_output, const Axes& a,
                                           const WindowSpan window_rows, const GradientRows<T> rows) {
  const std::int64_t c = a.c;
  for (std::int64_t y = rows.begin; y < rows.end; ++y) {
    const T* gradient = grad_output;
    for (const WindowSpan columns : a.columns) {
      const T factor = T(1) / static_cast<T>(window_rows.extent * columns.extent);
      for (std::int64_t at = 0; at < groups.channels; at += count * width<V, T>) {
        V share[count];
        DEFT_UNROLL
        for (int k = 0; k < count; ++k) share[k] = load_as<V>(gradient + at + k * width<V, T>) * factor;
        T* pixel = rows.image + (y * a.w + columns.begin) * c + at;
        for (std::int64_t x = columns.begin; x < columns.end; ++x, pixel += c) {
          DEFT_UNROLL
          for (int k = 0; k < count; ++k) give(rows, share[k], pixel + k * width<V, T>);
        }
      }
      gradient += c;
    }
  }
}

// Calls body(image and first channel, rows, place of their first output, groups) for all rows of windows.
template <class T, class Body>
void for_window_rows(const Axes& a, const Body& body) {
  for_output_rows(a, [&](std::int64_t n, std::int64_t row) {
    for_channel_groups<T>(a.c, [&](std::int64_t c, auto groups) {
      body(n * a.h * a.w * a.c + c, a.rows.spans[row], (n * a.h_out() + row) * a.w_out() * a.c + c, groups);
    });
  });
}

// Calls give(place of the first window, the windows' rows, gradient's rows, groups) for all rows of windows; no two
// threads write the same place. Where windows overlap, that is for each row of the image, whose gradient is summed up
// by itself.
template <class T, class Give>
void for_gradient_rows(const Axes& a, T* grad_input, const Give& give) {
  const auto give_row = [&](std::int64_t n, std::int64_t row, GradientRows<T> rows) {
    for_channel_groups<T>(a.c, [&](std::int64_t c, auto groups) {
      rows.image = grad_input + n * a.h * a.w * a.c + c;
      give((n * a.h_out() + row) * a.w_out() * a.c + c, a.rows.spans[row], rows, groups);
    });
  };
  if (windows_tile(a.rows) && windows_tile(a.columns)) {
    return for_output_rows(a, [&](std::int64_t n, std::int64_t row) {
      const WindowSpan& span = a.rows.spans[row];
      give_row(n, row, {nullptr, span.begin, span.end, false});
    });
  }
  parallel_blocks(a.n * a.h, rows_per_block(a.w * a.c), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t n = i / a.h, y = i % a.h;
      clear(grad_input + i * a.w * a.c, a.w * a.c);
      const WindowRange windows = a.rows.holding[y];
      for (std::int64_t row = windows.begin; row < windows.end; ++row) give_row(n, row, {nullptr, y, y + 1, true});
    }
  });
}

template <class T>
void mean_forward(const Axes& a, const T* input, T* output) {
  for_window_rows<T>(a, [&](std::int64_t from, const WindowSpan& rows, std::int64_t to, auto groups) {
    mean_of_windows(groups, input + from, a, rows, output + to);
  });
}

template <class T>
void mean_backward(const Axes& a, const T* grad_output, T* grad_input) {
  for_gradient_rows(a, grad_input,
                    [&](std::int64_t from, const WindowSpan& window_rows, const auto& rows, auto groups) {
                      give_shares(groups, grad_output + from, a, window_rows, rows);
                    });
}

}  // namespace
}  // namespace DEFT_SIMD

using namespace DEFT_SIMD;

template <class T, class Tap>
void max_pool2d_forward(Set, const Pool2dShape& shape, const T* input, T* output, Tap* taps) {
  const Axes a(pool_windows(shape, false));
  for_window_rows<T>(a, [&](std::int64_t from, const WindowSpan& rows, std::int64_t to, auto groups) {
    max_of_windows(groups, input + from, a, shape.kernel_w, rows, output + to, taps + to);
  });
}

template <class T, class Tap>
void max_pool2d_backward(Set, const Pool2dShape& shape, const T* grad_output, const Tap* taps, T* grad_input) {
  const Axes a(pool_windows(shape, false));
  for_gradient_rows(a, grad_input,
                    [&](std::int64_t from, const WindowSpan& window_rows, const auto& rows, auto groups) {
                      give_to_winners(groups, grad_output + from, taps + from, a, shape.kernel_w, window_rows, rows);
                    });
}

template <class T>
void avg_pool2d_forward(Set, const Pool2dShape& shape, bool count_include_pad, const T* input, T* output) {
  mean_forward(Axes(pool_windows(shape, count_include_pad)), input, output);
}

template <class T>
void avg_pool2d_backward(Set, const Pool2dShape& shape, bool count_include_pad, const T* grad_output, T* grad_input) {
  mean_backward(Axes(pool_windows(shape, count_include_pad)), grad_output, grad_input);
}

template <class T>
void adaptive_avg_pool2d_forward(Set, const AdaptivePool2dShape& shape, const T* input, T* output) {
  mean_forward(Axes(pool_windows(shape)), input, output);
}

template <class T>
void adaptive_avg_pool2d_backward(Set, const AdaptivePool2dShape& shape, const T* grad_output, T* grad_input) {
  mean_backward(Axes(pool_windows(shape)), grad_output, grad_input);
}

#define DEFT_INSTANTIATE_MAX(T, Tap)                                             \
  template void max_pool2d_forward(Set, const Pool2dShape&, const T*, T*, Tap*); \
  template void max_pool2d_backward(Set, const Pool2dShape&, const T*, const Tap*, T*);
#define DEFT_INSTANTIATE(T)                                                                 \
  DEFT_INSTANTIATE_MAX(T, std::uint8_t)                                                     \
  DEFT_INSTANTIATE_MAX(T, std::int64_t)                                                     \
  template void avg_pool2d_forward(Set, const Pool2dShape&, bool, const T*, T*);            \
  template void avg_pool2d_backward(Set, const Pool2dShape&, bool, const T*, T*);           \
  template void adaptive_avg_pool2d_forward(Set, const AdaptivePool2dShape&, const T*, T*); \
  template void adaptive_avg_pool2d_backward(Set, const AdaptivePool2dShape&, const T*, T*);
DEFT_INSTANTIATE_FLOATING(DEFT_INSTANTIATE)
#undef DEFT_INSTANTIATE
#undef DEFT_INSTANTIATE_MAX

}  // namespace deft::kernels
