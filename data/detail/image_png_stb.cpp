// PNG files where there is no libpng: stb_image decodes a copy that holds the picture only, its data checked by zlib.
// Left to itself it would copy from before the data's beginning, and take colours that no palette has from the stack.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "deft/data/detail/image_stb.h"
#include "deft/data/detail/png_chunks.h"
#include "deft/data/input_file.h"

namespace deft {
namespace {

using Bytes = std::vector<unsigned char>;

struct PngHeader {
  std::int64_t width, height;
  int depth, colour_type;
  bool interlaced;

  bool has_palette() const { return colour_type == 3; }
  std::int64_t row_bytes(std::int64_t pixels) const {
    constexpr int channels[] = {1, 0, 3, 1, 2, 0, 4};
    return (pixels * channels[colour_type] * depth + 7) / 8;
  }
};

PngHeader read_header(const EncodedImage& image, const PngChunk& chunk) {
  if (chunk.type != "IHDR" || chunk.content.size() != 13)
    image.fail("is a PNG whose first chunk is no IHDR of 13 bytes");
  const unsigned char* bytes = chunk.content.data();
  const PngHeader header{from_big_endian(bytes), from_big_endian(bytes + 4), bytes[8], bytes[9], bytes[12] == 1};
  image.check_size(header.width, header.height);
  const std::string_view depths = header.colour_type == 0   ? std::string_view("\1\2\4\10\20")
                                  : header.colour_type == 3 ? std::string_view("\1\2\4\10")
                                                            : std::string_view("\10\20");
  const bool known_type = header.colour_type == 0 || header.colour_type == 2 || header.colour_type == 3 ||
                          header.colour_type == 4 || header.colour_type == 6;
  if (!known_type || depths.find(static_cast<char>(header.depth)) == depths.npos) {
    image.fail(fmt::format("is a PNG of colour type {} and {} bits, which do not go together", header.colour_type,
                           header.depth));
  }
  return header;
}

// Bytes of the rows before compression, each with its filter's; an interlaced picture is seven pictures.
std::uint64_t raw_size(const PngHeader& header) {
  if (!header.interlaced) return static_cast<std::uint64_t>(header.height * (1 + header.row_bytes(header.width)));
  struct Pass {
    int x, y, step_x, step_y;
  };
  std::int64_t size = 0;
  for (const auto& [x, y, step_x, step_y] :
       {Pass{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}) {
    const std::int64_t width = (header.width - x + step_x - 1) / step_x,
                       height = (header.height - y + step_y - 1) / step_y;
    if (width > 0 && height > 0) size += height * (1 + header.row_bytes(width));
  }
  return static_cast<std::uint64_t>(size);
}

// The rows as zlib unpacks them. The rest of the stream is passed over, as by libpng.
Bytes unpack_rows(const EncodedImage& image, const PngHeader& header, const Bytes& data) {
  const std::uint64_t size = raw_size(header);
  Bytes rows(size + 1);  // with room left zlib also reads the checksum
  z_stream stream{};
  stream.next_in = const_cast<unsigned char*>(data.data());
  stream.avail_in = static_cast<unsigned>(data.size());
  stream.next_out = rows.data();
  stream.avail_out = static_cast<unsigned>(rows.size());
  inflateInit(&stream);
  const bool damaged = inflate(&stream, Z_SYNC_FLUSH) == Z_DATA_ERROR;
  const std::string reason = stream.msg != nullptr ? stream.msg : "its data end early";
  inflateEnd(&stream);
  if (damaged || stream.avail_out > 1) {
    image.fail(fmt::format("holds a damaged image ({}, {} of {} bytes)", reason, rows.size() - stream.avail_out, size));
  }
  rows.resize(size);
  return rows;
}

// A zlib stream of stored blocks.
Bytes store(const Bytes& rows) {
  auto size = static_cast<uLong>(rows.size() + rows.size() / 1000 + 1024);
  Bytes stored(size);
  compress2(stored.data(), &size, rows.data(), static_cast<uLong>(rows.size()), Z_NO_COMPRESSION);
  stored.resize(size);
  return stored;
}

void append_chunk(Bytes& png, std::string_view type, Span content) {
  for (int shift = 24; shift >= 0; shift -= 8) png.push_back(static_cast<unsigned char>(content.size() >> shift));
  png.insert(png.end(), type.begin(), type.end());
  png.insert(png.end(), content.begin(), content.end());
  png.insert(png.end(), 4, 0);  // the checksum, which stb_image does not read
}

// All 256 colours, black where the file ends early.
Bytes whole_palette(const EncodedImage& image, Span palette) {
  if (palette.empty() || palette.size() % 3 != 0 || palette.size() > 768) {
    image.fail(fmt::format("holds a damaged image (its palette has {} bytes)", palette.size()));
  }
  Bytes colours(palette.begin(), palette.end());
  colours.resize(768);
  return colours;
}

}  // namespace

Tensor decode_png(const EncodedImage& image) {
  const std::vector<PngChunk> chunks = png_chunks(image);
  const PngHeader header = read_header(image, chunks.front());
  Bytes data;
  Span palette;
  for (const PngChunk& chunk : chunks) {
    if (chunk.type == "IDAT") data.insert(data.end(), chunk.content.begin(), chunk.content.end());
    if (chunk.type == "PLTE" && data.empty()) palette = chunk.content;
  }
  Bytes png(png_signature.begin(), png_signature.end());
  append_chunk(png, "IHDR", chunks.front().content);
  if (header.has_palette()) append_chunk(png, "PLTE", whole_palette(image, palette));
  append_chunk(png, "IDAT", store(unpack_rows(image, header, data)));
  append_chunk(png, "IEND", {});

  return decode_with_stb(image, png, png);
}

}  // namespace deft
