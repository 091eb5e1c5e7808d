#include "deft/data/jpeg_segments.h"

#include <fmt/format.h>

#include <algorithm>

namespace deft {

std::vector<JpegSegment> jpeg_segments(const EncodedImage& image) {
  constexpr int stuffed_zero = 0x00, temporary = 0x01, first_restart = 0xd0, start_of_image = 0xd8, end_of_image = 0xd9;
  const Span bytes = image.bytes;
  std::vector<JpegSegment> segments;
  auto at = bytes.begin() + 2;  // after the start-of-image marker
  while (true) {
    // Entropy-coded data and bytes that do not belong there have no marker but for restarts.
    at = std::find(at, bytes.end(), 0xff);
    at = std::find_if(at, bytes.end(), [](unsigned char byte) { return byte != 0xff; });
    if (at == bytes.end()) {
      image.fail(fmt::format("JPEG ends after {} bytes without an end-of-image marker", bytes.size()));
    }
    const int marker = *at++;
    if (marker == end_of_image) return segments;
    if (marker == stuffed_zero || marker == temporary || (marker >= first_restart && marker <= start_of_image))
      continue;
    const auto left = static_cast<std::size_t>(bytes.end() - at);
    const std::size_t length = left < 2 ? 2 : std::size_t{at[0]} << 8 | at[1];
    const std::size_t start = bytes.size() - left;
    if (length < 2) image.fail(fmt::format("JPEG segment {:02x} at byte {} has length {}", marker, start, length));
    if (left < length) {
      image.fail(fmt::format("JPEG ends after {} bytes, expected {} for its {:02x} segment", bytes.size(),
                             start + length, marker));
    }
    segments.push_back({marker, bytes.subspan(start + 2, length - 2)});
    at += static_cast<std::ptrdiff_t>(length);
  }
}

}  // namespace deft
