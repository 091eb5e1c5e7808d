// Compiled without contraction to fused multiply-adds (see CMakeLists.txt): the contract rounds each operation by itself.
#include "deft/kernels/affine_warp.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "deft/kernels/allocator.h"
#include "deft/kernels/parallel_for.h"

namespace deft::kernels {
namespace {

// One coordinate of the source as a function of the centred output position.
template <class T>
struct SourceAxis {
  T along_x = 0, along_y = 0, offset = 0, size = 0;

  SourceAxis() = default;
  SourceAxis(const T* matrix_row, std::int64_t pixels) : size(static_cast<T>(pixels)) {
    const T half = T(0.5) * size;
    along_x = matrix_row[0] / half;
    along_y = matrix_row[1] / half;
    offset = matrix_row[2] / half;
  }
  T operator()(T x, T y) const {
    const T u = (x * along_x + y * along_y) + offset;
    return ((u + T(1)) * size - T(1)) / T(2);
  }
};

// Distance of pixel i from the centre of `size` pixels.
template <class T>
T centred(std::int64_t i, std::int64_t size) {
  return static_cast<T>(2 * i + 1 - size) / T(2);
}

// The pixel nearest to a coordinate, −1 where the constant border stands. It is clamped before it is converted.
template <class T>
std::int64_t nearest_pixel(T coordinate, T last, bool replicate) {
  const T rounded = std::nearbyint(coordinate);
  const T low = rounded > T(0) ? rounded : T(0);
  const T clamped = low < last ? low : last;
  return static_cast<std::int64_t>((replicate | (rounded == clamped)) ? clamped : T(-1));
}

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
    if (row < 0 || column < 0) {
      std::copy_n(fill_, channels(), output);
      return;
    }
    const In* pixel = image_ + (row * s_.w + column) * channels();
    for (std::int64_t k = 0; k < channels(); ++k) output[k] = static_cast<T>(pixel[k]) * scale_[k] + shift_[k];
  }

  void bilinear(T x, T y, T* output) const {
    const T w = static_cast<T>(s_.w), h = static_cast<T>(s_.h);
    if (replicate()) {
      x = std::min(std::max(T(0), x), w - T(1));
      y = std::min(std::max(T(0), y), h - T(1));
    } else if (!(x > T(-1) && x < w && y > T(-1) && y < h)) {
      std::copy_n(fill_, channels(), output);
      return;
    }
    const T left = std::floor(x), top = std::floor(y);
    const auto column = static_cast<std::int64_t>(left), row = static_cast<std::int64_t>(top);
    if (column >= 0 && column + 1 < s_.w && row >= 0 && row + 1 < s_.h) {
      bilinear_inside(row, column, y - top, x - left, output);
    } else {
      bilinear_at_border(row, column, y - top, x - left, output);
    }
  }

  void bilinear_inside(std::int64_t row, std::int64_t column, T down, T right, T* output) const {
    const In* upper = image_ + (row * s_.w + column) * channels();
    const In* lower = upper + s_.w * channels();
    for (std::int64_t k = 0; k < channels(); ++k) {
      const T above = static_cast<T>(upper[k]) * (T(1) - right) + static_cast<T>(upper[channels() + k]) * right;
      const T below = static_cast<T>(lower[k]) * (T(1) - right) + static_cast<T>(lower[channels() + k]) * right;
      output[k] = (above * (T(1) - down) + below * down) * scale_[k] + shift_[k];
    }
  }

  // Corners outside the image count as fill; a replicated border has moved the position so that they weigh nothing.
  void bilinear_at_border(std::int64_t row, std::int64_t column, T down, T right, T* output) const {
    const T shares[4] = {(T(1) - down) * (T(1) - right), (T(1) - down) * right, down * (T(1) - right), down * right};
    for (std::int64_t k = 0; k < channels(); ++k) output[k] = T(0);
    for (int corner = 0; corner < 4; ++corner) {
      const std::int64_t y = row + corner / 2, x = column + corner % 2;
      const bool inside = y >= 0 && y < s_.h && x >= 0 && x < s_.w;
      const T share = shares[corner];
      for (std::int64_t k = 0; k < channels(); ++k) {
        if (inside) {
          output[k] += share * (static_cast<T>(image_[(y * s_.w + x) * channels() + k]) * scale_[k] + shift_[k]);
        } else if (share != T(0)) {
          output[k] += share * fill_[k];
        }
      }
    }
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

template <class In, class T>
void affine_warp(Cpu, const AffineWarpShape& s, const In* input, const T* matrix, const T* scale, const T* shift,
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
  template void affine_warp<In, T>(Cpu, const AffineWarpShape&, const In*, const T*, const T*, const T*, const T*, T*);
DEFT_INSTANTIATE(std::uint8_t, float)
DEFT_INSTANTIATE(std::uint8_t, double)
DEFT_INSTANTIATE(float, float)
DEFT_INSTANTIATE(double, double)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
