#include "deft/data/detail/image_stb.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

// Fills every block that stb_image takes, so that what it has not written is known.
thread_local unsigned char fill = 0;

void* filled_block(std::size_t bytes) {
  void* block = std::malloc(bytes);
  return block == nullptr ? nullptr : std::memset(block, fill, bytes);
}

}  // namespace

#define STBI_ONLY_BMP
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_FAILURE_USERMSG
#define STBI_MALLOC(bytes) filled_block(bytes)
#define STBI_REALLOC(block, bytes) std::realloc(block, bytes)
#define STBI_FREE(block) std::free(block)
#define STBI_ASSERT(condition) static_cast<void>(condition)  // a damaged file is no reason to abort
#define STB_IMAGE_STATIC                                     // users may have an implementation of their own
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

namespace deft {
namespace {

// The picture where unwritten memory holds `pattern`.
Tensor decode_filled(const EncodedImage& image, Span bytes, unsigned char pattern) {
  fill = pattern;
  const auto size = static_cast<int>(bytes.size());
  const bool deep = stbi_is_16_bit_from_memory(bytes.data(), size) != 0;
  int width = 0, height = 0, channels = 0;
  void* decoded = deep ? static_cast<void*>(stbi_load_16_from_memory(bytes.data(), size, &width, &height, &channels, 0))
                       : stbi_load_from_memory(bytes.data(), size, &width, &height, &channels, 0);
  const std::unique_ptr<void, void (*)(void*)> owner(decoded, stbi_image_free);
  if (!owner) image.fail(fmt::format("holds a damaged image ({})", stbi_failure_reason()));
  Tensor pixels = empty_image(image, width, height, channels);
  std::uint8_t* out = pixels.mutable_data<std::uint8_t>();
  if (deep) {
    std::transform(static_cast<const stbi_us*>(decoded), static_cast<const stbi_us*>(decoded) + pixels.numel(), out,
                   [](unsigned value) { return static_cast<std::uint8_t>((value * 255 + 32767) / 65535); });
  } else {
    std::memcpy(out, decoded, static_cast<std::size_t>(pixels.numel()));
  }
  return pixels;
}

Tensor without_alpha(const Tensor& image) {
  const std::int64_t stored = image.size(2), kept = stored < 3 ? 1 : 3;
  if (stored == kept) return image;
  Tensor opaque = empty({image.size(0), image.size(1), kept}, {.dtype = DType::uint8, .device = Device::cpu()});
  const std::uint8_t* in = image.data<std::uint8_t>();
  std::uint8_t* out = opaque.mutable_data<std::uint8_t>();
  for (const std::uint8_t* end = in + image.numel(); in != end; in += stored) out = std::copy_n(in, kept, out);
  return opaque;
}

}  // namespace

Tensor decode_with_stb(const EncodedImage& image, Span bytes, Span again) {
  const Tensor pixels = decode_filled(image, bytes, 0x00), others = decode_filled(image, again, 0xaa);
  const auto count = static_cast<std::size_t>(pixels.numel());
  if (pixels.shape() != others.shape() ||
      std::memcmp(pixels.data<std::uint8_t>(), others.data<std::uint8_t>(), count) != 0) {
    image.fail("holds a damaged image (a part of it is missing)");
  }
  return without_alpha(pixels);
}

}  // namespace deft
