// The chunks of a PNG file.
#pragma once

#include <string_view>
#include <vector>

#include "deft/data/detail/exif.h"
#include "deft/data/detail/image_decoders.h"

namespace deft {

inline constexpr std::string_view png_signature = "\x89PNG\r\n\x1a\n";

struct PngChunk {
  std::string_view type;
  Span content;
};

/// The chunks up to IEND, in the order of the file. Throws Error if the file ends before or a checksum is wrong.
std::vector<PngChunk> png_chunks(const EncodedImage& image);

}  // namespace deft
