// The orientation of a picture in its EXIF data.
#pragma once

#include <span>

namespace deft {

/// The bytes of a part of a file.
using Span = std::span<const unsigned char>;

/// How the picture is to be turned, 1 (as it is) to 8, by the Orientation tag of EXIF 2.32 (CIPA DC-008), 4.6.4. `exif`
/// begins with the TIFF header, or with "Exif" and two zeros before it. 1 where the tag is missing or the data are
/// damaged: a picture can be read without them.
int exif_orientation(Span exif);

}  // namespace deft
