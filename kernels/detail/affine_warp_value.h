// What affine_warp computes for one element, for the kernels of both devices; no public header includes this one. The
// contract rounds every operation by itself: files that include this header are compiled without contraction to fused
// multiply-adds (see CMakeLists.txt).
#pragma once

#include <cmath>
#include <cstdint>

#include "deft/kernels/affine_warp.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels {

/// One coordinate of the source as a function of the centred output position.
template <class T>
struct SourceAxis {
  T along_x = 0, along_y = 0, offset = 0, size = 0;

  SourceAxis() = default;
  DEFT_HOST_DEVICE SourceAxis(const T* matrix_row, std::int64_t pixels) : size(static_cast<T>(pixels)) {
    const T half = T(0.5) * size;
    along_x = matrix_row[0] / half;
    along_y = matrix_row[1] / half;
    offset = matrix_row[2] / half;
  }
  DEFT_HOST_DEVICE T operator()(T x, T y) const {
    const T u = (x * along_x + y * along_y) + offset;
    return ((u + T(1)) * size - T(1)) / T(2);
  }
};

/// Distance of pixel i from the centre of `size` pixels.
template <class T>
DEFT_HOST_DEVICE inline T centred(std::int64_t i, std::int64_t size) {
  return static_cast<T>(2 * i + 1 - size) / T(2);
}

/// The coordinate moved into [0, last]; 0 for NaN.
template <class T>
DEFT_HOST_DEVICE inline T clamp_coordinate(T coordinate, T last) {
  const T low = coordinate > T(0) ? coordinate : T(0);
  return low < last ? low : last;
}

/// The pixel nearest to a coordinate, −1 where the constant border stands. It is clamped before it is converted.
template <class T>
DEFT_HOST_DEVICE inline std::int64_t nearest_pixel(T coordinate, T last, bool replicate) {
  const T rounded = std::nearbyint(coordinate), clamped = clamp_coordinate(rounded, last);
  return static_cast<std::int64_t>((replicate | (rounded == clamped)) ? clamped : T(-1));
}

/// An image with what becomes of its pixels.
template <class In, class T>
struct WarpSource {
  const In* image;
  std::int64_t h, w, c;
  const T *scale, *shift, *fill;

  DEFT_HOST_DEVICE T pixel(std::int64_t y, std::int64_t x, std::int64_t k) const {
    return static_cast<T>(image[(y * w + x) * c + k]);
  }
  /// The value of channel k where the nearest pixel is this one, or −1.
  DEFT_HOST_DEVICE T nearest(std::int64_t y, std::int64_t x, std::int64_t k) const {
    return y < 0 || x < 0 ? fill[k] : pixel(y, x, k) * scale[k] + shift[k];
  }
};

/// The four pixels around a position, of which some may lie outside the image.
template <class T>
class BilinearCell {
 public:
  template <class In>
  DEFT_HOST_DEVICE BilinearCell(const WarpSource<In, T>& source, T x, T y, bool replicate) {
    const T w = static_cast<T>(source.w), h = static_cast<T>(source.h);
    if (replicate) {
      x = clamp_coordinate(x, w - T(1));
      y = clamp_coordinate(y, h - T(1));
    } else if (!(x > T(-1) && x < w && y > T(-1) && y < h)) {
      place_ = Place::outside;
      return;
    }
    const T left = std::floor(x), top = std::floor(y);
    column_ = static_cast<std::int64_t>(left);
    row_ = static_cast<std::int64_t>(top);
    right_ = x - left;
    down_ = y - top;
    const bool inside = column_ >= 0 && column_ + 1 < source.w && row_ >= 0 && row_ + 1 < source.h;
    place_ = inside ? Place::inside : Place::border;
  }

  /// Calls write(k, value) for channels `first` to `last` − 1.
  template <class In, class Write>
  DEFT_HOST_DEVICE void write(const WarpSource<In, T>& source, std::int64_t first, std::int64_t last,
                              const Write& write) const {
    if (place_ == Place::inside) {
      for (std::int64_t k = first; k < last; ++k) write(k, inside_value(source, k));
    } else if (place_ == Place::border) {
      for (std::int64_t k = first; k < last; ++k) write(k, border_value(source, k));
    } else {
      for (std::int64_t k = first; k < last; ++k) write(k, source.fill[k]);
    }
  }

 private:
  enum class Place { inside, border, outside };

  template <class In>
  DEFT_HOST_DEVICE T inside_value(const WarpSource<In, T>& s, std::int64_t k) const {
    const T above = s.pixel(row_, column_, k) * (T(1) - right_) + s.pixel(row_, column_ + 1, k) * right_;
    const T below = s.pixel(row_ + 1, column_, k) * (T(1) - right_) + s.pixel(row_ + 1, column_ + 1, k) * right_;
    return (above * (T(1) - down_) + below * down_) * s.scale[k] + s.shift[k];
  }

  // Corners outside the image count as fill; a replicated border has moved the position so that they weigh nothing.
  template <class In>
  DEFT_HOST_DEVICE T border_value(const WarpSource<In, T>& s, std::int64_t k) const {
    const T shares[4] = {(T(1) - down_) * (T(1) - right_), (T(1) - down_) * right_, down_ * (T(1) - right_),
                         down_ * right_};
    T value = 0;
    for (int corner = 0; corner < 4; ++corner) {
      const std::int64_t y = row_ + corner / 2, x = column_ + corner % 2;
      const T share = shares[corner];
      if (y >= 0 && y < s.h && x >= 0 && x < s.w) {
        value += share * (s.pixel(y, x, k) * s.scale[k] + s.shift[k]);
      } else if (share != T(0)) {
        value += share * s.fill[k];
      }
    }
    return value;
  }

  Place place_;
  std::int64_t row_ = 0, column_ = 0;
  T down_ = 0, right_ = 0;
};

}  // namespace deft::kernels
