// Compiled without contraction to fused multiply-adds (see CMakeLists.txt): the contract rounds each operation by itself.
#include "deft/kernels/affine_warp.h"

#include <algorithm>
#include <cmath>

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

// The pixel nearest to a coordinate, −1 where the constant border stands. Not a conversion before the test.
template <class T>
std::int64_t nearest_pixel(T coordinate, T last, bool replicate) {
  const T rounded = std::nearbyint(coordinate);
  const T low = rounded > T(0) ? rounded : T(0);
  const T clamped = low < last ? low : last;
  return static_cast<std::int64_t>(replicate | (rounded == clamped) ? clamped : T(-1));
}

// Writes output rows, with tables for one row: where each of its pixels comes from.
template <class In, class T>
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
      for (std::int64_t i = 0; i < s_.w_out; ++i) bilinear(xs_[i], ys_[i], output + i * s_.c);
    } else if (separable_) {
      const std::int64_t source_row = nearest_pixel(y_axis_(T(0), y), static_cast<T>(s_.h - 1), replicate());
      for (std::int64_t i = 0; i < s_.w_out; ++i) nearest(source_row, columns_[i], output + i * s_.c);
    } else {
      locate(y);
      for (std::int64_t i = 0; i < s_.w_out; ++i) {
        const std::int64_t source_row = nearest_pixel(ys_[i], static_cast<T>(s_.h - 1), replicate());
        nearest(source_row, columns_[i], output + i * s_.c);
      }
    }
  }

 private:
  bool replicate() const { return s_.border == Border::replicate; }

  // Coordinates of the row at height y, and the nearest columns.
  void locate(T y) {
    T *xs = xs_.data(), *ys = ys_.data();
    std::int64_t* columns = columns_.data();
    const SourceAxis<T> x_axis = x_axis_, y_axis = y_axis_;
    const T last = static_cast<T>(s_.w - 1);
    const bool clamps = replicate();
    for (std::int64_t i = 0; i < s_.w_out; ++i) {
      const T x = centred<T>(i, s_.w_out);
      xs[i] = x_axis(x, y);
      ys[i] = y_axis(x, y);
      columns[i] = nearest_pixel(xs[i], last, clamps);
    }
  }

  void nearest(std::int64_t row, std::int64_t column, T* output) const {
    if (row < 0 || column < 0) {
      std::copy_n(fill_, s_.c, output);
      return;
    }
    const In* pixel = image_ + (row * s_.w + column) * s_.c;
    for (std::int64_t k = 0; k < s_.c; ++k) output[k] = static_cast<T>(pixel[k]) * scale_[k] + shift_[k];
  }

  void bilinear(T x, T y, T* output) const {
    const T w = static_cast<T>(s_.w), h = static_cast<T>(s_.h);
    if (replicate()) {
      x = std::min(std::max(T(0), x), w - T(1));
      y = std::min(std::max(T(0), y), h - T(1));
    } else if (!(x > T(-1) && x < w && y > T(-1) && y < h)) {
      std::copy_n(fill_, s_.c, output);
      return;
    }
    const T left = std::floor(x), top = std::floor(y);
    const T right_share = x - left, bottom_share = y - top;
    const auto column = static_cast<std::int64_t>(left), row = static_cast<std::int64_t>(top);
    const bool has_left = column >= 0, has_right = column + 1 < s_.w, has_top = row >= 0, has_bottom = row + 1 < s_.h;
    const std::int64_t corner = (row * s_.w + column) * s_.c, down = s_.w * s_.c;
    const auto corner_value = [&](bool inside, std::int64_t at) { return inside ? static_cast<T>(image_[at]) : T(0); };
    T covered = T(1);
    if (!(has_left && has_right && has_top && has_bottom) && !replicate()) {
      covered = ((has_left ? T(1) - right_share : T(0)) + (has_right ? right_share : T(0))) *
                ((has_top ? T(1) - bottom_share : T(0)) + (has_bottom ? bottom_share : T(0)));
    }
    for (std::int64_t k = 0; k < s_.c; ++k) {
      const T upper = corner_value(has_left && has_top, corner + k) * (T(1) - right_share) +
                      corner_value(has_right && has_top, corner + s_.c + k) * right_share;
      const T lower = corner_value(has_left && has_bottom, corner + down + k) * (T(1) - right_share) +
                      corner_value(has_right && has_bottom, corner + down + s_.c + k) * right_share;
      const T mean = upper * (T(1) - bottom_share) + lower * bottom_share;
      output[k] = mean * scale_[k] + covered * shift_[k];
      if (covered != T(1)) output[k] += (T(1) - covered) * fill_[k];
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
  const std::int64_t row_size = s.w_out * s.c;
  parallel_blocks(s.n * s.h_out, rows_per_block(row_size), [&](std::int64_t begin, std::int64_t end) {
    RowWarp<In, T> warp(s, scale, shift, fill);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t image = i / s.h_out, row = i % s.h_out;
      if (i == begin || row == 0) warp.set_image(input + image * s.h * s.w * s.c, matrix + image * 6);
      warp.write_row(row, output + i * row_size);
    }
  });
}

#define DEFT_INSTANTIATE(In, T) \
  template void affine_warp<In, T>(Cpu, const AffineWarpShape&, const In*, const T*, const T*, const T*, const T*, T*);
DEFT_INSTANTIATE(std::uint8_t, float)
DEFT_INSTANTIATE(std::uint8_t, double)
DEFT_INSTANTIATE(float, float)
DEFT_INSTANTIATE(double, double)
#undef DEFT_INSTANTIATE

}  // namespace deft::kernels
