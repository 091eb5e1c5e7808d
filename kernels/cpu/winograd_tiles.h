// Tiles of images in Winograd's convolution, between pixels and panels: what they read, transformed, and what they
// write.
#pragma once

#include <cstdint>

#include "deft/kernels/cpu/winograd_transform.h"
#include "deft/kernels/runtime/cpu/simd.h"

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
      : images_(n),
        columns_((w + winograd_outputs - 1) / winograd_outputs),
        per_image_((h + winograd_outputs - 1) / winograd_outputs * columns_),
        count_(n * per_image_) {}

  std::int64_t images() const { return images_; }
  std::int64_t columns() const { return columns_; }
  std::int64_t count() const { return count_; }
  TilePlace operator[](std::int64_t i) const {
    const std::int64_t in_image = i % per_image_;
    return {i / per_image_, in_image / columns_ * winograd_outputs, in_image % columns_ * winograd_outputs};
  }

 private:
  std::int64_t images_, columns_, per_image_, count_;
};

/// Pixels [begin_y, end_y) × [begin_x, end_x) of a tile of `side` rows and columns from (y, x) on that lie in an image.
struct Inside {
  Inside(std::int64_t side, std::int64_t y, std::int64_t x, std::int64_t h, std::int64_t w)
      : begin_y(limit(-y, side)), end_y(limit(h - y, side)), begin_x(limit(-x, side)), end_x(limit(w - x, side)) {}

  bool whole(std::int64_t side) const { return begin_y == 0 && begin_x == 0 && end_y == side && end_x == side; }

  bool contains(std::int64_t y, std::int64_t x) const { return begin_y <= y && y < end_y && begin_x <= x && x < end_x; }

  std::int64_t begin_y, end_y, begin_x, end_x;

 private:
  static std::int64_t limit(std::int64_t value, std::int64_t side) {
    return value < 0 ? 0 : value > side ? side : value;
  }
};

/// Transforms the square of pixels of all images' channels that begins at pixel (y, x), which may lie outside the
/// image: zeros stand there. Frequency f of channel c goes to `to` + f · stride + c. `zeros` are as many as there are
/// channels.
template <class Transform>
void read_tile(const Images<const float>& images, std::int64_t image, std::int64_t y, std::int64_t x,
               const float* zeros, float* to, std::int64_t stride) {
  constexpr int side = Transform::inputs;
  const std::int64_t whole_vectors = images.c / lanes<float> * lanes<float>, row = images.w * images.c;
  const Inside inside(side, y, x, images.h, images.w);
  const float* const from = images.data + ((image * images.h + y) * images.w + x) * images.c;
  if (inside.whole(side) && whole_vectors == images.c) {
    for (std::int64_t c = 0; c < images.c; c += lanes<float>) {
      to_frequencies<Transform>([&](int i, int j) { return load(from + i * row + j * images.c + c); }, to + c, stride);
    }
    return;
  }
  const float* pixels[side][side];
  for (int i = 0; i < side; ++i) {
    for (int j = 0; j < side; ++j) pixels[i][j] = inside.contains(i, j) ? from + i * row + j * images.c : zeros;
  }
  for (std::int64_t c = 0; c < whole_vectors; c += lanes<float>) {
    to_frequencies<Transform>([&](int i, int j) { return load(pixels[i][j] + c); }, to + c, stride);
  }
  if (whole_vectors < images.c) {
    const std::int64_t rest = images.c - whole_vectors;
    to_frequencies<Transform>([&](int i, int j) { return load_first(pixels[i][j] + whole_vectors, rest); },
                              to + whole_vectors, stride);
  }
}

/// Writes the outputs of the tile at `place`, as far as they lie in the image. `bias` has whole vectors.
inline void write_tile(const float* from, std::int64_t stride, const float* bias, const Images<float>& images,
                       const TilePlace& place) {
  const std::int64_t whole_vectors = images.c / lanes<float> * lanes<float>, row = images.w * images.c;
  const Inside inside(winograd_outputs, place.y, place.x, images.h, images.w);
  float* const to = images.pixel(place.image, place.y, place.x);
  const bool whole = inside.whole(winograd_outputs);
  for (std::int64_t c = 0; c < whole_vectors; c += lanes<float>) {
    const Vector<float> added = load(bias + c);
    float* const channel = to + c;
    if (whole) {
      from_frequencies<OutputTransform>(from + c, stride, [&](int i, int j, Vector<float> value) {
        store(channel + i * row + j * images.c, value + added);
      });
    } else {
      from_frequencies<OutputTransform>(from + c, stride, [&](int i, int j, Vector<float> value) {
        if (inside.contains(i, j)) store(channel + i * row + j * images.c, value + added);
      });
    }
  }
  if (whole_vectors < images.c) {
    const Vector<float> added = load(bias + whole_vectors);
    const std::int64_t rest = images.c - whole_vectors;
    from_frequencies<OutputTransform>(from + whole_vectors, stride, [&](int i, int j, Vector<float> value) {
      if (inside.contains(i, j)) store_first(to + i * row + j * images.c + whole_vectors, value + added, rest);
    });
  }
}

/// Asks for the pixels of tiles [begin, end) to read or to write (`for_writing` is 0 or 1), a share after each of the
/// frequencies' products, so that memory works while these are computed. The lines are taken in order, which the
/// processor continues by itself; as tiles span rows, those of a row of tiles more are asked for. Inlined, for GCC
/// takes a function that only prefetches for one without effect.
template <int for_writing, class T>
__attribute__((always_inline)) inline void prefetch_share(const Images<T>& images, const TileGrid& tiles,
                                                          std::int64_t begin, std::int64_t end,
                                                          std::int64_t frequency) {
  constexpr std::int64_t line = 64 / sizeof(float);
  const auto size = static_cast<double>(tiles.images() * images.h * images.w * images.c);
  const auto scale = static_cast<double>(tiles.count() * winograd_products);
  const auto element = [&](std::int64_t share) __attribute__((always_inline)) {
    const std::int64_t at = (begin + tiles.columns()) * winograd_products + (end - begin) * share;
    const double part = static_cast<double>(at) / scale;
    return static_cast<std::int64_t>(part < 1 ? size * part : size);
  };
  const std::int64_t last = element(frequency + 1);
  for (std::int64_t at = element(frequency); at < last; at += line) {
    __builtin_prefetch(images.data + at, for_writing, 3);
  }
}

}  // namespace deft::kernels::DEFT_SIMD
