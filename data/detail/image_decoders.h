// The decoders of image files, one per format, on files in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deft/core/tensor.h"

namespace deft {

/// An image file in memory.
struct EncodedImage {
  std::string name;  ///< of the file, for messages
  std::vector<unsigned char> bytes;
  std::int64_t most_pixels;

  /// Throws Error: the name, a colon and `what`.
  [[noreturn]] void fail(const std::string& what) const;

  /// Throws Error for an image without pixels and for one with more than `most_pixels`. To be called before memory is
  /// taken for what a header promises.
  void check_size(std::int64_t width, std::int64_t height) const;
};

/// The picture as uint8 [H, W, 1 or 3], grey or RGB, turned as its EXIF orientation says; transparency is dropped.
/// Throws Error for a file of another format, for one that is damaged, and for one whose picture is not whole.
Tensor decode_image(const EncodedImage& image);

/// The same of one format each, as the file has it: not turned yet.
Tensor decode_bmp(const EncodedImage& image);
Tensor decode_jpeg(const EncodedImage& image);
Tensor decode_png(const EncodedImage& image);
Tensor decode_pnm(const EncodedImage& image);

/// Memory for a decoder's pixels, checked with check_size: uint8 [height, width, channels], not written yet.
Tensor empty_image(const EncodedImage& image, std::int64_t width, std::int64_t height, std::int64_t channels);

}  // namespace deft
