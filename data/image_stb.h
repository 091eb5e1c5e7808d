// Decoding by stb_image. No public header includes this one.
#pragma once

#include "deft/data/exif.h"
#include "deft/data/image_decoders.h"

namespace deft {

/// The picture in `bytes`, which are those of `image` or made from them, as uint8 [H, W, channels] with the channels
/// stored: grey, grey and alpha, RGB, or RGB and alpha. Throws Error if stb_image refuses it or leaves a part of it
/// unwritten. stb_image trusts a file in much: what reads or writes beyond its tables must have been refused before.
Tensor decode_with_stb(const EncodedImage& image, Span bytes);

/// The same without the alpha channel, where there is one.
Tensor without_alpha(const Tensor& image);

}  // namespace deft
