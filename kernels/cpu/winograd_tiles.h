// Tiles of images in Winograd's convolution, between pixels and panels: what they read, transformed, and what they write.
#pragma once

#include <cstdint>

#include "deft/kernels/cpu/simd.h"
#include "deft/kernels/cpu/winograd_transform.h"

namespace deft::kernels::DEFT_SIMD {

/// Channels-last images [n, h, w, c].
template <class T>
struct Images {
  T* data;
  std::int64_t h, w, c;

  T* pixel(std::int64_t image, std::int64_t y, std::int64_t x) const { return data + ((image * h + y) * w + x) * c; }
};

/// One tile's place: its first output pixel.
struct TilePlace {
  std::int64_t image, y, x;
};

/// Tiles of 4×4 pixels that cover images of h × w pixels.
class TileGrid {
 public:
  TileGrid(std::int64_t n, std::int64_t h, std::int64_t w)
      : columns_((w + winograd_outputs - 1) / winograd_outputs),
        per_image_((h + winograd_outputs - 1) / winograd_outputs * columns_),
        count_(n * per_image_) {}

  std::int64_t count() const { return count_; }
  TilePlace operator[](std::int64_t i) const {
    const std::int64_t in_image = i % per_image_;
    return {i / per_image_, in_image / columns_ * winograd_outputs, in_image % columns_ * winograd_outputs};
  }

 private:
  std::int64_t columns_, per_image_, count_;
};

/// Pixels [begin_y, end_y) × [begin_x, end_x) of a tile of `side` rows and columns from (y, x) on that lie in an image.
struct Inside {
  Inside(std::int64_t side, std::int64_t y, std::int64_t x, std::int64_t h, std::int64_t w)
      : begin_y(limit(-y, side)), end_y(limit(h - y, side)), begin_x(limit(-x, side)), end_x(limit(w - x, side)) {}

  bool whole(std::int64_t side) const { return begin_y == 0 && begin_x == 0 && end_y == side && end_x == side; }

  std::int64_t begin_y, end_y, begin_x, end_x;

 private:
  static std::int64_t limit(std::int64_t value, std::int64_t side) {
    return value < 0 ? 0 : value > side ? side : value;
  }
};

/// Transforms `channels` channels, whole vectors, of 6×6 pixels; frequency f goes to `to` + f · frequency_stride.
__attribute__((no_sanitize("undefined"))) inline void transform_inputs(const float* from, std::int64_t row_stride,
                                                                       std::int64_t pixel_stride, std::int64_t channels,
                                                                       float* to, std::int64_t frequency_stride) {
  using V = Vector<float>;
  for (std::int64_t c = 0; c < channels; c += lanes<float>) {
    V half[winograd_inputs][winograd_inputs];
    DEFT_UNROLL
    for (int x = 0; x < winograd_inputs; ++x) {
      V column[winograd_inputs], transformed[winograd_inputs];
      DEFT_UNROLL
      for (int y = 0; y < winograd_inputs; ++y) column[y] = load(from + y * row_stride + x * pixel_stride + c);
      winograd_input(column, transformed);
      DEFT_UNROLL
      for (int y = 0; y < winograd_inputs; ++y) half[y][x] = transformed[y];
    }
    float* out = to + c;
    DEFT_UNROLL
    for (int y = 0; y < winograd_inputs; ++y) {
      V transformed[winograd_inputs];
      winograd_input(half[y], transformed);
      DEFT_UNROLL
      for (int x = 0; x < winograd_inputs; ++x, out += frequency_stride) store(out, transformed[x]);
    }
  }
}

/// The other way: 4×4 pixels of `channels` channels, whole vectors, from their frequencies, and a bias [channels] added.
__attribute__((no_sanitize("undefined"))) inline void transform_outputs(const float* from,
                                                                        std::int64_t frequency_stride,
                                                                        const float* bias, std::int64_t channels,
                                                                        float* to, std::int64_t row_stride,
                                                                        std::int64_t pixel_stride) {
  using V = Vector<float>;
  for (std::int64_t c = 0; c < channels; c += lanes<float>) {
    V half[winograd_outputs][winograd_inputs];
    DEFT_UNROLL
    for (int x = 0; x < winograd_inputs; ++x) {
      V column[winograd_inputs], transformed[winograd_outputs];
      DEFT_UNROLL
      for (int y = 0; y < winograd_inputs; ++y) {
        column[y] = load(from + (y * winograd_inputs + x) * frequency_stride + c);
      }
      winograd_output(column, transformed);
      DEFT_UNROLL
      for (int y = 0; y < winograd_outputs; ++y) half[y][x] = transformed[y];
    }
    const V added = load(bias + c);
    DEFT_UNROLL
    for (int y = 0; y < winograd_outputs; ++y) {
      V transformed[winograd_outputs];
      winograd_output(half[y], transformed);
      DEFT_UNROLL
      for (int x = 0; x < winograd_outputs; ++x)
        store(to + y * row_stride + x * pixel_stride + c, transformed[x] + added);
    }
  }
}

/// Copies `count` elements of each pixel inside; both tiles have their own strides.
inline void copy_pixels(const Inside& inside, const float* from, std::int64_t from_row, std::int64_t from_pixel,
                        float* to, std::int64_t to_row, std::int64_t to_pixel, std::int64_t count) {
  for (std::int64_t y = inside.begin_y; y < inside.end_y; ++y) {
    for (std::int64_t x = inside.begin_x; x < inside.end_x; ++x) {
      const float* const in = from + y * from_row + x * from_pixel;
      float* const out = to + y * to_row + x * to_pixel;
      std::int64_t c = 0;
      for (; c + lanes<float> <= count; c += lanes<float>) store(out + c, load(in + c));
      for (; c < count; ++c) out[c] = in[c];
    }
  }
}

/// Transforms the inputs of a tile that begins at pixel (y, x), which may lie outside the image: zeros stand there.
/// `own` holds 36 pixels of whole vectors.
inline void read_tile(const Images<const float>& images, std::int64_t image, std::int64_t y, std::int64_t x, float* own,
                      float* to, std::int64_t frequency_stride) {
  const std::int64_t channels = round_up_to_lanes<float>(images.c), row = images.w * images.c;
  const Inside inside(winograd_inputs, y, x, images.h, images.w);
  const float* const from = images.data + ((image * images.h + y) * images.w + x) * images.c;
  if (inside.whole(winograd_inputs) && channels == images.c) {
    transform_inputs(from, row, images.c, channels, to, frequency_stride);
    return;
  }
  clear(own, winograd_products * channels);
  copy_pixels(inside, from, row, images.c, own, winograd_inputs * channels, channels, images.c);
  transform_inputs(own, winograd_inputs * channels, channels, channels, to, frequency_stride);
}

/// Writes the outputs of the tile that begins at pixel (y, x), as far as they lie in the image. `own` holds 16 pixels of
/// whole vectors.
inline void write_tile(const float* from, std::int64_t frequency_stride, const float* bias, float* own,
                       const Images<float>& images, const TilePlace& place) {
  const std::int64_t channels = round_up_to_lanes<float>(images.c), row = images.w * images.c;
  const Inside inside(winograd_outputs, place.y, place.x, images.h, images.w);
  float* const to = images.pixel(place.image, place.y, place.x);
  if (inside.whole(winograd_outputs) && channels == images.c) {
    transform_outputs(from, frequency_stride, bias, channels, to, row, images.c);
    return;
  }
  transform_outputs(from, frequency_stride, bias, channels, own, winograd_outputs * channels, channels);
  copy_pixels(inside, own, winograd_outputs * channels, channels, to, row, images.c, images.c);
}

}  // namespace deft::kernels::DEFT_SIMD
