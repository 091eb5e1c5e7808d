// The segments of a JPEG file. No public header includes this one.
#pragma once

#include <vector>

#include "deft/data/exif.h"
#include "deft/data/image_decoders.h"

namespace deft {

/// A segment: the second byte of its marker and what follows its length.
struct JpegSegment {
  int marker;
  Span content;
};

/// The segments that have a length, up to the end-of-image marker; what entropy-coded data a scan's header is followed
/// by is passed over (ITU-T T.81, B.1.1). Throws Error if the file ends before.
std::vector<JpegSegment> jpeg_segments(const EncodedImage& image);

}  // namespace deft
