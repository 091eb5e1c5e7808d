// BMP files: stb_image decodes what passes the checks here, which refuse what it reads wrongly or beyond its tables.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "deft/data/detail/image_stb.h"

namespace deft {
namespace {

std::uint32_t from_little_endian(const unsigned char* bytes) {
  return std::uint32_t{bytes[3]} << 24 | std::uint32_t{bytes[2]} << 16 | std::uint32_t{bytes[1]} << 8 | bytes[0];
}

constexpr std::uint32_t file_header_size = 14, uncompressed = 0, bit_fields = 3;

// The values of the headers: BITMAPFILEHEADER, then BITMAPINFOHEADER, BITMAPV4HEADER or BITMAPV5HEADER.
struct BmpHeader {
  std::uint32_t pixels_at, size;
  std::int32_t width, height;  // a negative height: the first row is the top one
  std::uint32_t bits, compression, colours;

  std::size_t end() const { return file_header_size + size + (compression == bit_fields && size == 40 ? 12 : 0); }
};

BmpHeader read_header(const EncodedImage& image) {
  const unsigned char* bytes = image.bytes.data();
  const std::size_t length = image.bytes.size();
  const std::uint32_t size = length < file_header_size + 4 ? 40 : from_little_endian(bytes + file_header_size);
  if (size != 40 && size != 108 && size != 124) {
    image.fail(fmt::format("is a BMP with a header of {} bytes, expected 40, 108 or 124", size));
  }
  if (length < file_header_size + size) {
    image.fail(fmt::format("ends after {} bytes, expected {} for its headers", length, file_header_size + size));
  }
  return {.pixels_at = from_little_endian(bytes + 10),
          .size = size,
          .width = static_cast<std::int32_t>(from_little_endian(bytes + 18)),
          .height = static_cast<std::int32_t>(from_little_endian(bytes + 22)),
          .bits = from_little_endian(bytes + 28) & 0xffff,
          .compression = from_little_endian(bytes + 30),
          .colours = from_little_endian(bytes + 46)};
}

void check_kind(const EncodedImage& image, const BmpHeader& header) {
  // stb_image makes other values of 16 bits per pixel than Pillow.
  constexpr std::uint32_t known[] = {1, 4, 8, 24, 32};
  if (std::find(std::begin(known), std::end(known), header.bits) == std::end(known)) {
    image.fail(fmt::format("is a BMP of {} bits per pixel, expected 1, 4, 8, 24 or 32", header.bits));
  }
  if (header.compression != uncompressed && !(header.compression == bit_fields && header.bits == 32)) {
    image.fail(fmt::format("is a BMP with compression {}, expected an uncompressed one", header.compression));
  }
  const bool palette = header.bits <= 8;
  if (palette ? header.pixels_at < header.end() : header.pixels_at != header.end()) {
    image.fail(fmt::format("is a BMP whose pixels begin at byte {}, expected {}{}", header.pixels_at, header.end(),
                           palette ? " or later" : ""));
  }
}

// Each channel is a byte of the pixel.
void check_masks(const EncodedImage& image) {
  std::uint32_t all = 0;
  for (const std::size_t at : {54, 58, 62}) {  // red, green, blue: after the smallest header or in the larger ones
    const std::uint32_t mask = from_little_endian(&image.bytes[at]);
    const bool is_byte = mask == 0xff || mask == 0xff00 || mask == 0xff0000 || mask == 0xff000000;
    if (!is_byte || (all & mask) != 0) {
      image.fail(fmt::format("is a BMP with the channel mask {:08x}, expected a byte for each channel", mask));
    }
    all |= mask;
  }
}

// The colours lie between the headers and the pixels, and every pixel is one of them.
void check_palette(const EncodedImage& image, const BmpHeader& header, std::size_t stride, std::size_t rows) {
  const std::uint32_t bits = header.bits, most = 1u << bits;
  const std::size_t stored = (header.pixels_at - header.end()) / 4, named = header.colours == 0 ? most : header.colours;
  const std::size_t colours = std::min(stored, named);
  if (colours < 1 || stored > 256) {
    image.fail(fmt::format("is a BMP with room for {} colours before its pixels, expected 1 to 256", stored));
  }
  for (std::size_t y = 0; y < rows; ++y) {
    const unsigned char* row = &image.bytes[header.pixels_at + y * stride];
    for (std::uint32_t x = 0; x < static_cast<std::uint32_t>(header.width); ++x) {
      const std::uint32_t colour = row[std::size_t{x} * bits / 8] >> (8 - bits - x * bits % 8) & (most - 1);
      if (colour >= colours) {
        image.fail(fmt::format("has a pixel of colour {}, expected less than {}", colour, colours));
      }
    }
  }
}

}  // namespace

Tensor decode_bmp(const EncodedImage& image) {
  const BmpHeader header = read_header(image);
  const auto rows = static_cast<std::size_t>(std::abs(std::int64_t{header.height}));
  image.check_size(header.width, static_cast<std::int64_t>(rows));
  check_kind(image, header);
  const std::size_t stride = (static_cast<std::size_t>(header.width) * header.bits + 31) / 32 * 4;
  const std::size_t expected = header.pixels_at + rows * stride;
  if (image.bytes.size() < expected) {
    image.fail(fmt::format("ends after {} bytes, expected at least {}", image.bytes.size(), expected));
  }
  if (header.compression == bit_fields) check_masks(image);
  if (header.bits <= 8) check_palette(image, header, stride, rows);
  return decode_with_stb(image, image.bytes, image.bytes);
}

}  // namespace deft
