// Decoding by stb_image.
#pragma once

#include "deft/data/detail/exif.h"
#include "deft/data/detail/image_decoders.h"

namespace deft {

/// The picture in `bytes`, which are those of `image` or made from them, as uint8 [H, W, 1 or 3]; alpha is dropped.
/// Throws Error if stb_image refuses it, leaves a part of it unwritten, or finds another picture in `again`: the same
/// file with other bytes where no decoder has to look. stb_image trusts a file in much: what makes it read or write
/// beyond its tables must have been refused before.
Tensor decode_with_stb(const EncodedImage& image, Span bytes, Span again);

}  // namespace deft
