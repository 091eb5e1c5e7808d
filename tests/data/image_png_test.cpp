// PNG files of every kind, written here chunk by chunk, and damaged ones. Pillow 13 reads the same but for 16 bits per
// sample, of which it keeps the high byte or clips, and refuses or reads what the cases say.
#include <zlib.h>

#include <algorithm>
#include <tuple>

#include "catch.h"
#include "data/image_error.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

Bytes big_endian(std::uint32_t value) {
  return {std::uint8_t(value >> 24), std::uint8_t(value >> 16), std::uint8_t(value >> 8), std::uint8_t(value)};
}

Bytes chunk(const std::string& type, const Bytes& content) {
  const Bytes named = bytes_of(type) + content;
  const auto crc = crc32(0, named.data(), static_cast<unsigned>(named.size()));
  return big_endian(std::uint32_t(content.size())) + named + big_endian(std::uint32_t(crc));
}

Bytes deflated(const Bytes& rows) {
  uLong size = compressBound(rows.size());
  Bytes data(size);
  compress(data.data(), &size, rows.data(), rows.size());
  return first(data, size);
}

enum ColourType { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgb_alpha = 6 };

struct PngKind {
  int colour_type, depth;
  bool interlaced = false;

  int channels() const { return std::array{1, 0, 3, 1, 2, 0, 4}[std::size_t(colour_type)]; }
};

Bytes header(int width, int height, const PngKind& kind) {
  return bytes_of("\x89PNG\r\n\x1a\n") +
         chunk("IHDR", big_endian(std::uint32_t(width)) + big_endian(std::uint32_t(height)) +
                           Bytes{std::uint8_t(kind.depth), std::uint8_t(kind.colour_type), 0, 0, kind.interlaced});
}

// A picture whose samples are 0, step, 2·step, … modulo 2^depth.
struct Samples {
  int width, height;
  PngKind kind;
  int step;

  int operator()(int y, int x, int c) const {
    return ((y * width + x) * kind.channels() + c) * step % (1 << kind.depth);
  }
};

// The rows of one pass, none filtered.
Bytes rows(const Samples& samples, int x0, int y0, int step_x, int step_y) {
  Bytes bytes;
  for (int y = y0; y < samples.height && x0 < samples.width; y += step_y) {
    bytes.push_back(0);
    int bits = 0, value = 0;
    for (int x = x0; x < samples.width; x += step_x) {
      for (int c = 0; c < samples.kind.channels(); ++c) {
        value = value << samples.kind.depth | samples(y, x, c);
        bits += samples.kind.depth;
        for (; bits >= 8; bits -= 8) bytes.push_back(std::uint8_t(value >> (bits - 8)));
      }
    }
    if (bits > 0) bytes.push_back(std::uint8_t(value << (8 - bits)));
  }
  return bytes;
}

Bytes all_rows(const Samples& samples) {
  if (!samples.kind.interlaced) return rows(samples, 0, 0, 1, 1);
  Bytes bytes;  // the seven passes of Adam7
  for (const auto& [x, y, step_x, step_y] :
       {std::tuple(0, 0, 8, 8), {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}) {
    bytes = bytes + rows(samples, x, y, step_x, step_y);
  }
  return bytes;
}

Bytes colours(int count) {
  Bytes bytes;
  for (int i = 0; i < 3 * count; ++i) bytes.push_back(std::uint8_t(255 - 5 * i));
  return bytes;
}

// A whole file; `before` and `after` are the chunks around the data.
Bytes png(const Samples& samples, const Bytes& before = {}, const Bytes& after = {}) {
  const Bytes table = samples.kind.colour_type == palette ? chunk("PLTE", colours(1 << samples.kind.depth)) : Bytes{};
  return header(samples.width, samples.height, samples.kind) + table + before +
         chunk("IDAT", deflated(all_rows(samples))) + after + chunk("IEND", {});
}

std::uint8_t expected(const Samples& samples, int y, int x, int c) {
  const int channels = samples.kind.channels(), largest = (1 << samples.kind.depth) - 1;
  if (samples.kind.colour_type == palette) return colours(256)[std::size_t(3 * samples(y, x, 0) + c)];
  return std::uint8_t(255.0 * samples(y, x, channels < 3 ? 0 : c) / largest + 0.5);
}

const Samples small{.width = 3, .height = 2, .kind = {rgb, 8}, .step = 7};

}  // namespace

TEST_CASE("PNG files of every colour type, depth and interlacing are read, with 16 bits rounded to 8") {
  for (const auto& [colour_type, depths] : {std::pair(grey, std::vector{1, 2, 4, 8, 16}),
                                            {rgb, {8, 16}},
                                            {palette, {1, 2, 4, 8}},
                                            {grey_alpha, {8, 16}},
                                            {rgb_alpha, {8, 16}}}) {
    for (const int depth : depths) {
      for (const bool interlaced : {false, true}) {
        for (const auto& [height, width] : {std::pair(1, 1), std::pair(3, 2), std::pair(9, 13)}) {
          const Samples samples{width, height, {colour_type, depth, interlaced}, depth == 16 ? 4099 : 1};
          const Tensor image = image_from(png(samples), 3);
          REQUIRE(image.shape() == Shape{height, width, 3});
          INFO("colour type " << colour_type << ", depth " << depth << ", interlaced " << interlaced);
          const std::uint8_t* value = image.data<std::uint8_t>();
          int wrong = 0;
          for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
              for (int c = 0; c < 3; ++c) wrong += *value++ != expected(samples, y, x, c);
            }
          }
          CHECK(wrong == 0);
        }
      }
    }
  }
}

TEST_CASE("grey is Pillow's luma of the colours") {
  const Bytes samples = {0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 1, 2, 3, 200, 100, 50, 17, 99, 230};
  const Bytes file = header(3, 2, {rgb, 8}) + chunk("IDAT", deflated(samples)) + chunk("IEND", {});
  CHECK(image_from(file, 1).to_vector<std::uint8_t>() == Bytes{76, 150, 29, 2, 124, 89});
}

TEST_CASE("transparency, gamma, texts and what follows the picture change nothing in a PNG") {
  const Bytes plain = image_from(png(small), 3).to_vector<std::uint8_t>();
  const auto with = [](const Bytes& before, const Bytes& after) {
    return image_from(png(small, before, after), 3).to_vector<std::uint8_t>();
  };
  CHECK(with(chunk("gAMA", big_endian(100000)), chunk("tEXt", bytes_of("a")) + chunk("abCd", {1})) == plain);
  CHECK(with(chunk("tRNS", {0, 0, 0, 7, 0, 14}), {}) == plain);
  CHECK(with(chunk("iCCP", bytes_of("x")), {}) == plain);
  CHECK(image_from(png(small) + bytes_of("more"), 3).to_vector<std::uint8_t>() == plain);
  const Bytes data = deflated(all_rows(small)), start = header(small.width, small.height, small.kind),
              end = chunk("IEND", {});
  Bytes split;
  for (const std::uint8_t byte : data) split = split + chunk("IDAT", {byte}) + chunk("IDAT", {});
  CHECK(image_from(start + split + end, 3).to_vector<std::uint8_t>() == plain);
  const Bytes longer = deflated(all_rows(small) + Bytes(300, 9));
  CHECK(image_from(start + chunk("IDAT", longer) + end, 3).to_vector<std::uint8_t>() == plain);
}

TEST_CASE("a colour beyond the palette of a PNG is black") {
  const Bytes start = header(3, 1, {palette, 8}), end = chunk("IDAT", deflated({0, 1, 2, 255})) + chunk("IEND", {});
  CHECK(image_from(start + chunk("PLTE", {9, 8, 7, 6, 5, 4}) + end, 3).to_vector<std::uint8_t>() ==
        Bytes{6, 5, 4, 0, 0, 0, 0, 0, 0});
  CHECK_THAT(image_error(start + end), Contains("image: holds a damaged image ("));
  CHECK_THAT(image_error(start + chunk("PLTE", {1, 2}) + end), Contains("image: holds a damaged image ("));
}

TEST_CASE("PNG pictures that are not whole are refused") {
  const Bytes start = header(small.width, small.height, small.kind), end = chunk("IEND", {});
  const Bytes data = deflated(all_rows(small)), raw = all_rows(small);
  const auto error = [&](const Bytes& content) { return image_error(start + chunk("IDAT", content) + end); };
  for (const Bytes& content : {Bytes{}, first(data, data.size() - 8), deflated(first(raw, raw.size() - 1)),
                               deflated(Bytes{7} + raw), Bytes(40, 0), first(data, data.size() - 1) + Bytes{1}}) {
    CHECK_THAT(error(content), Contains("image: holds a damaged image (") && !Contains("\n"));
  }
  CHECK_THAT(image_error(start + end), Contains("image: holds a damaged image ("));
  // Length and distance codes that mean nothing: a copy from where nothing has been written (fixed codes, 286 and 30).
  CHECK_THAT(error({0x78, 0x01, 0x1b, 0x03, 0x00}), Contains("image: holds a damaged image ("));
  CHECK_THAT(image_error(header(3, 2, {rgb, 4}) + chunk("IDAT", data) + end), Contains("image: "));
  CHECK_THAT(image_error(header(0, 2, {rgb, 8}) + chunk("IDAT", data) + end), Contains("image: "));
  CHECK_THAT(image_error(header(90000, 80000, {rgb, 8}) + chunk("IDAT", data) + end),
             EndsWith("is 90000×80000 pixels, expected at least 1×1 and at most 67108864 in all"));
}

TEST_CASE("a picture is turned as its EXIF orientation says") {
  // By PIL.ImageOps.exif_transpose of Pillow 13 on the same 2×3 picture.
  const std::vector<Bytes> turned = {{0, 1, 2, 3, 4, 5}, {2, 1, 0, 5, 4, 3}, {5, 4, 3, 2, 1, 0}, {3, 4, 5, 0, 1, 2},
                                     {0, 3, 1, 4, 2, 5}, {3, 0, 4, 1, 5, 2}, {5, 2, 4, 1, 3, 0}, {2, 5, 1, 4, 0, 3}};
  const Samples samples{3, 2, {grey, 8}, 1};
  for (std::uint8_t orientation = 1; orientation <= 8; ++orientation) {
    const Bytes exif = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0};
    const Tensor image = image_from(png(samples, {}, chunk("eXIf", exif)), 1);
    CHECK(image.shape() == (orientation < 5 ? Shape{2, 3, 1} : Shape{3, 2, 1}));
    CHECK(image.to_vector<std::uint8_t>() == turned[orientation - 1u]);
  }
}
