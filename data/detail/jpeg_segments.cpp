#include "deft/data/detail/jpeg_segments.h"

#include <fmt/format.h>

#include <algorithm>

namespace deft {

namespace {

// Markers that stand within entropy-coded data, and what is no marker.
bool stands_alone(int marker) {
  constexpr int stuffed_zero = 0x00, temporary = 0x01, first_restart = 0xd0, start_of_image = 0xd8;
  return marker == stuffed_zero || marker == temporary || (marker >= first_restart && marker <= start_of_image);
}

}  // namespace

std::vector<JpegSegment> jpeg_segments(const EncodedImage& image) {
  constexpr int end_of_image = 0xd9;
  const Span bytes = image.bytes;
  std::vector<JpegSegment> segments;
  std::size_t at = 2, data_at = at;  // after the start-of-image marker
  while (true) {
    const auto mark = std::find(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), 0xff);
    const auto code = std::find_if(mark, bytes.end(), [](unsigned char byte) { return byte != 0xff; });
    if (code == bytes.end()) {
      image.fail(fmt::format("JPEG ends after {} bytes without an end-of-image marker", bytes.size()));
    }
    const int marker = *code;
    at = static_cast<std::size_t>(code - bytes.begin()) + 1;
    if (stands_alone(marker)) continue;
    if (!segments.empty()) {
      segments.back().data = bytes.subspan(data_at, static_cast<std::size_t>(mark - bytes.begin()) - data_at);
    }
    if (marker == end_of_image) return segments;
    const std::size_t left = bytes.size() - at, length = left < 2 ? 2 : std::size_t{bytes[at]} << 8 | bytes[at + 1];
    if (length < 2) image.fail(fmt::format("JPEG segment {:02x} at byte {} has length {}", marker, at, length));
    if (left < length) {
      image.fail(fmt::format("JPEG ends after {} bytes, expected {} for its {:02x} segment", bytes.size(), at + length,
                             marker));
    }
    segments.push_back({marker, bytes.subspan(at + 2, length - 2), {}});
    at += length;
    data_at = at;
  }
}

}  // namespace deft
