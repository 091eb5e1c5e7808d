#include "deft/data/detail/image_decoders.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "deft/data/detail/exif.h"
#include "deft/data/detail/jpeg_segments.h"
#include "deft/data/detail/png_chunks.h"
#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

constexpr std::string_view exif_mark("Exif\0\0", 6);

bool starts_with(Span bytes, std::string_view start) {
  return bytes.size() >= start.size() && std::memcmp(bytes.data(), start.data(), start.size()) == 0;
}

int jpeg_orientation(const EncodedImage& image) {
  for (const JpegSegment& segment : jpeg_segments(image)) {
    if (segment.marker == 0xe1 && starts_with(segment.content, exif_mark)) {
      return exif_orientation(segment.content);
    }
  }
  return 1;
}

int png_orientation(const EncodedImage& image) {
  for (const PngChunk& chunk : png_chunks(image)) {
    if (chunk.type == "eXIf") return exif_orientation(chunk.content);
  }
  return 1;
}

// Orientation 1 is as it is, 2 has its columns reversed, 4 its rows, 3 both; 5, 8, 6 and 7 are the same with rows and
// columns exchanged.
Tensor turn(const Tensor& image, int orientation) {
  if (orientation == 1) return image;
  const bool exchange = orientation >= 5;
  const bool last_row_first = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool last_column_first = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const std::int64_t h = image.size(0), w = image.size(1), c = image.size(2);
  Tensor turned = exchange ? empty({w, h, c}, {.dtype = DType::uint8, .device = Device::cpu()})
                           : empty({h, w, c}, {.dtype = DType::uint8, .device = Device::cpu()});
  const std::uint8_t* pixels = image.data<std::uint8_t>();
  std::uint8_t* out = turned.mutable_data<std::uint8_t>();
  for (std::int64_t y = 0; y < turned.size(0); ++y) {
    for (std::int64_t x = 0; x < turned.size(1); ++x) {
      const std::int64_t row = exchange ? x : y, column = exchange ? y : x;
      const std::int64_t from_row = last_row_first ? h - 1 - row : row;
      const std::int64_t from_column = last_column_first ? w - 1 - column : column;
      out = std::copy_n(pixels + (from_row * w + from_column) * c, c, out);
    }
  }
  return turned;
}

}  // namespace

void EncodedImage::fail(const std::string& what) const { throw Error(name + ": " + what); }

void EncodedImage::check_size(std::int64_t width, std::int64_t height) const {
  if (width < 1 || height < 1 || height > most_pixels / width) {
    fail(fmt::format("is {}×{} pixels, expected at least 1×1 and at most {} in all", width, height, most_pixels));
  }
}

Tensor empty_image(const EncodedImage& image, std::int64_t width, std::int64_t height, std::int64_t channels) {
  image.check_size(width, height);
  return empty({height, width, channels}, {.dtype = DType::uint8, .device = Device::cpu()});
}

Tensor decode_image(const EncodedImage& image) {
  const std::vector<unsigned char>& bytes = image.bytes;
  if (starts_with(bytes, "\xff\xd8")) return turn(decode_jpeg(image), jpeg_orientation(image));
  if (starts_with(bytes, png_signature)) return turn(decode_png(image), png_orientation(image));
  if (starts_with(bytes, "BM")) return decode_bmp(image);
  if (bytes.size() >= 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6') return decode_pnm(image);
  std::string start;
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 4); ++i) start += fmt::format("{:02x}", bytes[i]);
  if (bytes.empty()) image.fail("is empty, expected a PNG, JPEG, BMP or binary PNM file");
  image.fail(fmt::format("starts with 0x{}, expected a PNG, JPEG, BMP or binary PNM file", start));
}

}  // namespace deft
