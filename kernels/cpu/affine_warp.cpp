#include "deft/kernels/affine_warp.h"

#include <algorithm>
#include <type_traits>

#include "deft/kernels/detail/affine_warp_value.h"
#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/cpu/kernel.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

// Writes output rows, with tables for one row: where each of its pixels comes from. Channels is the number of channels
// where it is known at compile time, else 0.
template <class In, class T, int Channels>
class RowWarp {
 public:
  RowWarp(const AffineWarpShape& shape, const T* scale, const T* shift, const T* fill)
      : s_(shape), scale_(scale), shift_(shift), fill_(fill), xs_(s_.w_out), ys_(s_.w_out), columns_(s_.w_out) {}

  void set_image(const In* image, const T* matrix) {
    image_ = image;
    x_axis_ = SourceAxis<T>(matrix, s_.w);
    y_axis_ = SourceAxis<T>(matrix + 3, s_.h);
    separable_ = x_axis_.along_y == T(0) && y_axis_.along_x == T(0);
    if (separable_) locate(T(0));
  }

  void write_row(std::int64_t row, T* output) {
    const T y = centred<T>(row, s_.h_out);
    if (s_.interpolation == Interpolation::bilinear) {
      locate(y);
      for (std::int64_t i = 0; i < s_.w_out; ++i) bilinear(xs_[i], ys_[i], output + i * channels());
    } else if (separable_) {
      const std::int64_t source_row = nearest_pixel(y_axis_(T(0), y), static_cast<T>(s_.h - 1), replicate());
      for (std::int64_t i = 0; i < s_.w_out; ++i) nearest(source_row, columns_[i], output + i * channels());
    } else {
      locate(y);
      for (std::int64_t i = 0; i < s_.w_out; ++i) {
        const std::int64_t source_row = nearest_pixel(ys_[i], static_cast<T>(s_.h - 1), replicate());
        nearest(source_row, columns_[i], output + i * channels());
      }
    }
  }

 private:
  std::int64_t channels() const { return Channels > 0 ? Channels : s_.c; }
  WarpSource<In, T> source() const { return {image_, s_.h, s_.w, channels(), scale_, shift_, fill_}; }
  bool replicate() const { return s_.border == Border::replicate; }

  // Coordinates of the row at height y, and the nearest columns.
  void locate(T y) {
    T *xs = xs_.data(), *ys = ys_.data();
    std::int64_t* columns = columns_.data();
    const SourceAxis<T> x_axis = x_axis_, y_axis = y_axis_;
    const T last = static_cast<T>(s_.w - 1);
    const bool clamps = replicate();
    const std::int64_t n = s_.w_out;
    for (std::int64_t i = 0; i < n; ++i) {
      const T x = centred<T>(i, n);
      xs[i] = x_axis(x, y);
      ys[i] = y_axis(x, y);
      columns[i] = nearest_pixel(xs[i], last, clamps);
    }
  }

  void nearest(std::int64_t row, std::int64_t column, T* output) const {
    const WarpSource<In, T> from = source();
    for (std::int64_t k = 0; k < channels(); ++k) output[k] = from.nearest(row, column, k);
  }

  void bilinear(T x, T y, T* output) const {
    const WarpSource<In, T> from = source();
    BilinearCell<T>(from, x, y, replicate()).write(from, 0, channels(), [&](std::int64_t k, T value) {
      output[k] = value;
    });
  }

  const AffineWarpShape& s_;
  const T *scale_, *shift_, *fill_;
  const In* image_ = nullptr;
  SourceAxis<T> x_axis_, y_axis_;
  bool separable_ = false;
  Scratch<T> xs_, ys_;
  Scratch<std::int64_t> columns_;
};

}  // namespace
}  // namespace DEFT_SIMD

using namespace DEFT_SIMD;

template <class In, class T>
void affine_warp(Set, const AffineWarpShape& s, const In* input, const T* matrix, const T* scale, const T* shift,
                 const T* fill, T* output) {
  const auto run = [&](auto channels) {
    const std::int64_t row_size = s.w_out * s.c;
    parallel_blocks(s.n * s.h_out, rows_per_block(row_size), [&](std::int64_t begin, std::int64_t end) {
      RowWarp<In, T, channels()> warp(s, scale, shift, fill);
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t image = i / s.h_out, row = i % s.h_out;
        if (i == begin || row == 0) warp.set_image(input + image * s.h * s.w * s.c, matrix + image * 6);
        warp.write_row(row, output + i * row_size);
      }
    });
  };
  if (s.c == 1) {
    run(std::integral_constant<int, 1>());
  } else if (s.c == 3) {
    run(std::integral_constant<int, 3>());
  } else {
    run(std::integral_constant<int, 0>());
  }
}

#define DEFT_INSTANTIATE(In, T) \
  template void affine_warp(Set, const AffineWarpShape&, const In*, const T*, const T*, const T*, const T*, T*);
DEFT_INSTANTIATE(std::uint8_t, float)
DEFT_INSTANTIATE(std::uint8_t, double)
DEFT_INSTANTIATE(float, float)
DEFT_INSTANTIATE(double, double)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
