// Where the windows of a pooling lie, for the kernels of both devices.
#pragma once

#include <cstdint>

#include "deft/kernels/pool2d.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels {

/// What a window covers on one axis.
struct WindowSpan {
  std::int64_t begin, end;  ///< pixels of the image
  std::int64_t origin;      ///< where tap 0 lies, maybe in the padding
  std::int64_t extent;      ///< what the mean is taken over on this axis
};

/// Consecutive windows of one axis.
struct WindowRange {
  std::int64_t begin, end;
};

/// The windows of a Pool2dShape on one axis.
struct FixedWindows {
  std::int64_t count, size;    // windows, pixels of the image
  std::int64_t before, after;  // padding
  std::int64_t kernel, stride;
  bool count_padding;

  DEFT_HOST_DEVICE WindowSpan span(std::int64_t window) const {
    const std::int64_t origin = window * stride - before, beyond = origin + kernel;
    const std::int64_t begin = origin > 0 ? origin : 0, end = beyond < size ? beyond : size;
    const std::int64_t padded_end = beyond < size + after ? beyond : size + after;
    return {begin, end, origin, count_padding ? padded_end - origin : end - begin};
  }
  /// The windows that hold a pixel; none where the range is empty or ends before it begins.
  DEFT_HOST_DEVICE WindowRange holding(std::int64_t pixel) const {
    const std::int64_t place = pixel + before, end = place / stride + 1;
    return {place < kernel ? 0 : (place - kernel) / stride + 1, end < count ? end : count};
  }
};

/// The windows of an AdaptivePool2dShape on one axis.
struct AdaptiveWindows {
  std::int64_t count, size;

  DEFT_HOST_DEVICE WindowSpan span(std::int64_t window) const {
    const std::int64_t begin = window * size / count, end = ((window + 1) * size + count - 1) / count;
    return {begin, end, begin, end - begin};
  }
  DEFT_HOST_DEVICE WindowRange holding(std::int64_t pixel) const {
    return {pixel * count / size, ((pixel + 1) * count + size - 1) / size};
  }
};

/// A pooling's windows on both axes of channels-last images.
template <class Windows>
struct PoolWindows {
  std::int64_t n, c;
  Windows rows, columns;

  DEFT_HOST_DEVICE std::int64_t image_size() const { return rows.size * columns.size * c; }
  DEFT_HOST_DEVICE std::int64_t output_size() const { return rows.count * columns.count * c; }
};

DEFT_ALWAYS_INLINE inline PoolWindows<FixedWindows> pool_windows(const Pool2dShape& s, bool count_padding) {
  return {s.n,
          s.c,
          {s.h_out(), s.h, s.pad_top, s.pad_bottom, s.kernel_h, s.stride_h, count_padding},
          {s.w_out(), s.w, s.pad_left, s.pad_right, s.kernel_w, s.stride_w, count_padding}};
}

DEFT_ALWAYS_INLINE inline PoolWindows<AdaptiveWindows> pool_windows(const AdaptivePool2dShape& s) {
  return {s.n, s.c, {s.h_out, s.h}, {s.w_out, s.w}};
}

}  // namespace deft::kernels
