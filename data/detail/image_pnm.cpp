// Binary PNM files by netpbm's definition: pbm(5), pgm(5), ppm(5).
#include <fmt/format.h>

#include <algorithm>

#include "deft/data/detail/image_decoders.h"

namespace deft {
namespace {

// The header: a magic number and numbers in decimal digits, with whitespace and comments between them.
class HeaderReader {
 public:
  explicit HeaderReader(const EncodedImage& image) : image_(image) {}

  std::int64_t number(const char* what) {
    if (!is_space()) image_.fail(fmt::format("PNM has no whitespace before its {}", what));
    while (is_space() || here() == '#') {
      if (here() == '#') at_ = find_line_end();
      ++at_;
    }
    std::int64_t value = 0;
    const std::size_t start = at_;
    for (; here() >= '0' && here() <= '9' && at_ - start < 10; ++at_) value = value * 10 + here() - '0';
    if (at_ == start) image_.fail(fmt::format("PNM has no {} at byte {}", what, start));
    if (here() >= '0' && here() <= '9') image_.fail(fmt::format("PNM's {} has more than 10 digits", what));
    return value;
  }

  /// Where the samples begin: after one whitespace byte.
  std::size_t end() const {
    if (!is_space()) image_.fail(fmt::format("PNM has no whitespace at byte {}, after its header", at_));
    return at_ + 1;
  }

 private:
  int here() const { return at_ < image_.bytes.size() ? image_.bytes[at_] : -1; }
  bool is_space() const { return here() == ' ' || (here() >= '\t' && here() <= '\r'); }
  std::size_t find_line_end() const {
    const auto is_end = [](unsigned char byte) { return byte == '\n' || byte == '\r'; };
    const auto from = image_.bytes.begin() + static_cast<std::ptrdiff_t>(at_);
    return static_cast<std::size_t>(std::find_if(from, image_.bytes.end(), is_end) - image_.bytes.begin());
  }

  const EncodedImage& image_;
  std::size_t at_ = 2;
};

// ⌊255·sample/largest + ½⌋; a sample above the largest is white.
std::uint8_t to_byte(std::uint32_t sample, std::uint32_t largest) {
  return static_cast<std::uint8_t>((2 * 255 * std::min(sample, largest) + largest) / (2 * largest));
}

}  // namespace

Tensor decode_pnm(const EncodedImage& image) {
  const int kind = image.bytes[1];
  if (kind < '4') image.fail(fmt::format("is a plain PNM file (P{:c}), expected a binary one (P4, P5 or P6)", kind));
  HeaderReader header(image);
  const std::int64_t width = header.number("width"), height = header.number("height");
  const bool bits = kind == '4';
  const std::int64_t largest = bits ? 1 : header.number("largest value");
  if (largest < 1 || largest > 65535)
    image.fail(fmt::format("PNM's largest value is {}, expected 1 to 65535", largest));
  const std::int64_t channels = kind == '6' ? 3 : 1;
  image.check_size(width, height);

  const std::int64_t row_bytes = bits ? (width + 7) / 8 : width * channels * (largest > 255 ? 2 : 1);
  const std::size_t start = header.end(), expected = start + static_cast<std::size_t>(height * row_bytes);
  if (image.bytes.size() < expected) {
    image.fail(fmt::format("ends after {} bytes, expected {}", image.bytes.size(), expected));
  }
  Tensor pixels = empty_image(image, width, height, channels);
  std::uint8_t* out = pixels.mutable_data<std::uint8_t>();
  const unsigned char* in = image.bytes.data() + start;
  if (bits) {  // 1 is black
    for (std::int64_t y = 0; y < height; ++y, in += row_bytes) {
      for (std::int64_t x = 0; x < width; ++x) *out++ = (in[x / 8] >> (7 - x % 8) & 1) != 0 ? 0 : 255;
    }
    return pixels;
  }
  for (std::int64_t i = 0; i < pixels.numel(); ++i) {
    std::uint32_t sample = *in++;
    if (largest > 255) sample = sample << 8 | *in++;
    *out++ = to_byte(sample, static_cast<std::uint32_t>(largest));
  }
  return pixels;
}

}  // namespace deft
