// The segments of a JPEG file.
#pragma once

#include <vector>

#include "deft/data/detail/exif.h"
#include "deft/data/detail/image_decoders.h"

namespace deft {

/// A segment: the second byte of its marker, what follows its length, and what follows the segment up to the next one:
/// for the header of a scan its entropy-coded data, with its restart markers.
struct JpegSegment {
  int marker;
  Span content;
  Span data;
};

/// The segments up to the end-of-image marker (ITU-T T.81, B.1.1). Throws Error if the file ends before.
std::vector<JpegSegment> jpeg_segments(const EncodedImage& image);

}  // namespace deft
