#include "deft/data/detail/png_chunks.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <string>

#include "deft/data/input_file.h"

namespace deft {
namespace {

// "IHDR", or "0x00ff0a01" for a type that is not of letters.
std::string type_name(std::string_view type) {
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  if (std::all_of(type.begin(), type.end(), is_letter)) return std::string(type);
  return fmt::format("0x{:08x}", from_big_endian(reinterpret_cast<const unsigned char*>(type.data())));
}

}  // namespace

std::vector<PngChunk> png_chunks(const EncodedImage& image) {
  const Span bytes = image.bytes;
  std::vector<PngChunk> chunks;
  std::size_t at = png_signature.size();
  do {
    if (bytes.size() - at < 12) image.fail(fmt::format("PNG ends after {} bytes, before its IEND chunk", bytes.size()));
    const std::uint64_t length = from_big_endian(&bytes[at]);
    const std::string_view type(reinterpret_cast<const char*>(&bytes[at + 4]), 4);
    if (bytes.size() - at - 12 < length) {
      image.fail(fmt::format("PNG ends after {} bytes, expected {} for its {} chunk", bytes.size(), at + 12 + length,
                             type_name(type)));
    }
    const auto crc = static_cast<std::uint32_t>(crc32(0, &bytes[at + 4], static_cast<unsigned>(length) + 4));
    const std::uint32_t stored = from_big_endian(&bytes[at + 8 + length]);
    if (crc != stored) {
      image.fail(fmt::format("PNG chunk {} at byte {} has checksum {:08x}, expected {:08x}", type_name(type), at, crc,
                             stored));
    }
    chunks.push_back({type, bytes.subspan(at + 8, length)});
    at += 12 + length;
  } while (chunks.back().type != "IEND");
  return chunks;
}

}  // namespace deft
