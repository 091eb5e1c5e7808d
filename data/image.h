// Single images: reading files, changing the size.
#pragma once

#include <cstdint>
#include <filesystem>

#include "deft/core/tensor.h"

namespace deft {

/// What load_image makes of a file.
struct ImageOptions {
  std::int64_t channels = 3;  ///< 1 (grey) or 3 (RGB); the file's are converted, transparency is dropped
  std::int64_t height = 0;    ///< resized to this; 0: as it is
  std::int64_t width = 0;
};

/// Reads a PNG, JPEG, BMP or binary PNM file as uint8 [H, W, channels], turned as its EXIF orientation says (JPEG and
/// PNG). The pixels are those that Pillow reads; docs/api.md says where they differ and what is refused. Samples of 16
/// bits are rounded to 8; grey from colours is (19595 R + 38470 G + 7471 B + 32768) / 65536. Throws Error for files that
/// are missing, of another format, truncated, damaged or above 2^26 pixels.
Tensor load_image(const std::filesystem::path& path, const ImageOptions& options = {});

/// The image, uint8 [H, W, C], at another size: a linear filter that widens with the reduction, so that shrinking
/// averages (the filter of Pillow's BILINEAR). Throws Error for sizes below 1 and for an image that is not on the CPU.
Tensor resize_image(const Tensor& image, std::int64_t height, std::int64_t width);

}  // namespace deft
