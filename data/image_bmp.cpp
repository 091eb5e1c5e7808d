// BMP files: stb_image decodes those that pass the checks here, which refuse what it reads wrongly or beyond its tables.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "deft/data/image_stb.h"

namespace deft {
namespace {

std::uint32_t from_little_endian(const unsigned char* bytes) {
  return std::uint32_t{bytes[3]} << 24 | std::uint32_t{bytes[2]} << 16 | std::uint32_t{bytes[1]} << 8 | bytes[0];
}

// What the headers say: BITMAPFILEHEADER, then BITMAPINFOHEADER or BITMAPV4HEADER or BITMAPV5HEADER.
struct BmpHeader {
  std::uint32_t pixels_at, size;
  std::int32_t width, height;  // a negative height: the first row is the top one
  std::uint32_t bits, compression;
};

constexpr std::uint32_t file_header_size = 14, uncompressed = 0, bit_fields = 3;

BmpHeader read_header(const EncodedImage& image) {
  const unsigned char* bytes = image.bytes.data();
  const std::size_t length = image.bytes.size();
  if (length < file_header_size + 40)
    image.fail(fmt::format("ends after {} bytes, within the header of a BMP", length));
  const BmpHeader header{.pixels_at = from_little_endian(bytes + 10),
                         .size = from_little_endian(bytes + 14),
                         .width = static_cast<std::int32_t>(from_little_endian(bytes + 18)),
                         .height = static_cast<std::int32_t>(from_little_endian(bytes + 22)),
                         .bits = from_little_endian(bytes + 28) & 0xffff,
                         .compression = from_little_endian(bytes + 30)};
  if (header.size != 40 && header.size != 108 && header.size != 124) {
    image.fail(fmt::format("is a BMP with a header of {} bytes, expected 40, 108 or 124", header.size));
  }
  if (header.compression != uncompressed && !(header.compression == bit_fields && header.bits == 32)) {
    image.fail(fmt::format("is a BMP of {} bits per pixel with compression {}, expected an uncompressed one",
                           header.bits, header.compression));
  }
  // Of 16 bits per pixel the values would differ from those that other programs read.
  constexpr std::uint32_t known[] = {1, 4, 8, 24, 32};
  if (std::find(std::begin(known), std::end(known), header.bits) == std::end(known)) {
    image.fail(fmt::format("is a BMP of {} bits per pixel, expected 1, 4, 8, 24 or 32", header.bits));
  }
  return header;
}

// Each channel is a byte of the pixel.
void check_masks(const EncodedImage& image, const BmpHeader& header) {
  std::uint32_t all = 0;
  for (const std::size_t at : {54, 58, 62}) {  // red, green, blue; at the same place before and in the larger headers
    const std::uint32_t mask = image.bytes.size() < at + 4 ? 0 : from_little_endian(&image.bytes[at]);
    const bool is_byte = mask == 0xff || mask == 0xff00 || mask == 0xff0000 || mask == 0xff000000;
    if (!is_byte || (all & mask) != 0) {
      image.fail(fmt::format("is a BMP of {} bits per pixel with the mask {:08x}, expected a byte for each channel",
                             header.bits, mask));
    }
    all |= mask;
  }
}

// The colours lie between the headers and the pixels, and every pixel is one of them.
void check_palette(const EncodedImage& image, const BmpHeader& header, std::size_t stride, std::size_t rows) {
  const std::size_t start = file_header_size + header.size;
  const std::size_t colours = header.pixels_at < start ? 0 : (header.pixels_at - start) / 4;
  if (colours < 1 || colours > 256) image.fail(fmt::format("is a BMP of {} colours, expected 1 to 256", colours));
  const std::uint32_t bits = header.bits, last = (1u << bits) - 1;
  for (std::size_t y = 0; y < rows; ++y) {
    const unsigned char* row = &image.bytes[header.pixels_at + y * stride];
    for (std::uint32_t x = 0; x < static_cast<std::uint32_t>(header.width); ++x) {
      const std::uint32_t colour = row[std::size_t{x} * bits / 8] >> (8 - bits - x * bits % 8) & last;
      if (colour >= colours)
        image.fail(fmt::format("has a pixel of colour {}, expected less than {}", colour, colours));
    }
  }
}

}  // namespace

Tensor decode_bmp(const EncodedImage& image) {
  const BmpHeader header = read_header(image);
  const auto rows = static_cast<std::size_t>(std::abs(std::int64_t{header.height}));
  image.check_size(header.width, static_cast<std::int64_t>(rows));
  const std::size_t stride = (static_cast<std::size_t>(header.width) * header.bits + 31) / 32 * 4;
  const std::size_t headers_end =
      file_header_size + header.size + (header.compression == bit_fields && header.size == 40 ? 12 : 0);
  const std::size_t expected = header.pixels_at + rows * stride;
  if (header.pixels_at < headers_end) {
    image.fail(
        fmt::format("is a BMP whose pixels begin at byte {}, expected {} or later", header.pixels_at, headers_end));
  }
  if (image.bytes.size() < expected) {
    image.fail(fmt::format("ends after {} bytes, expected at least {}", image.bytes.size(), expected));
  }
  if (header.compression == bit_fields) check_masks(image, header);
  if (header.bits <= 8) check_palette(image, header, stride, rows);
  return without_alpha(decode_with_stb(image, image.bytes));
}

}  // namespace deft
