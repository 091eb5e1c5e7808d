// BMP files of the kinds that are read, with the values that Pillow 13 reads, and those that are refused.
#include <limits>

#include "catch.h"
#include "data/image_error.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

Bytes little_endian(std::uint32_t value, int bytes = 4) {
  Bytes result;
  for (int i = 0; i < bytes; ++i) result.push_back(std::uint8_t(value >> (8 * i)));
  return result;
}

struct Bmp {
  int width, height, bits;
  Bytes pixels;
  Bytes palette = {};
  Bytes masks = {};
  int compression = 0, colours = 0, header_size = 40;
  int gap = 0;  // between palette and pixels

  Bytes file() const {
    Bytes header = little_endian(std::uint32_t(header_size)) + little_endian(std::uint32_t(width)) +
                   little_endian(std::uint32_t(height)) + little_endian(1, 2) + little_endian(std::uint32_t(bits), 2) +
                   little_endian(std::uint32_t(compression)) + little_endian(0) + little_endian(0) + little_endian(0) +
                   little_endian(std::uint32_t(colours)) + little_endian(0) + masks;
    if (header_size > 40) header.resize(std::size_t(header_size));
    const std::size_t start = 14 + header.size() + palette.size() + std::size_t(gap);
    return bytes_of("BM") + little_endian(std::uint32_t(start + pixels.size())) + little_endian(0) +
           little_endian(std::uint32_t(start)) + header + palette + Bytes(std::size_t(gap), 0) + pixels;
  }
};

// Four colours, blue first: (2, 1, 0), (6, 5, 4), (10, 9, 8), (14, 13, 12) as RGB.
const Bytes four_colours = {0, 1, 2, 0, 4, 5, 6, 0, 8, 9, 10, 0, 12, 13, 14, 0};
const Bytes two_rows = {1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12, 0, 0};  // of two pixels of 24 bits

Bytes pixels_of(const Bytes& file) { return image_from(file, 3).to_vector<std::uint8_t>(); }

}  // namespace

TEST_CASE("BMP rows are read from the bottom, or from the top where the height is negative") {
  CHECK(pixels_of(Bmp{2, 2, 24, two_rows}.file()) == Bytes{9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4});
  CHECK(pixels_of(Bmp{2, -2, 24, two_rows}.file()) == Bytes{3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10});
  for (const int size : {108, 124}) {
    CHECK(pixels_of(Bmp{.width = 2, .height = 2, .bits = 24, .pixels = two_rows, .header_size = size}.file()) ==
          Bytes{9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4});
  }
}

TEST_CASE("BMP pixels of 32 bits have a byte per channel, as the masks say") {
  const Bytes pixels = {1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(pixels_of(Bmp{2, 1, 32, pixels}.file()) == Bytes{3, 2, 1, 7, 6, 5});
  const auto masked = [&](std::uint32_t red, std::uint32_t green, std::uint32_t blue, int size) {
    return Bmp{.width = 2,
               .height = 1,
               .bits = 32,
               .pixels = pixels,
               .masks = little_endian(red) + little_endian(green) + little_endian(blue),
               .compression = 3,
               .header_size = size}
        .file();
  };
  for (const int size : {40, 108, 124}) {
    CHECK(pixels_of(masked(0xff0000, 0xff00, 0xff, size)) == Bytes{3, 2, 1, 7, 6, 5});
    CHECK(pixels_of(masked(0xff000000, 0xff0000, 0xff00, size)) == Bytes{4, 3, 2, 8, 7, 6});
    CHECK_THAT(image_error(masked(0xf800, 0x7e0, 0x1f, size)),
               Contains("channel mask 0000f800, expected a byte for each"));
    CHECK_THAT(image_error(masked(0xff, 0xff, 0xff, size)),
               Contains("channel mask 000000ff, expected a byte for each"));
    CHECK_THAT(image_error(masked(0, 0, 0, size)), Contains("channel mask 00000000, expected a byte for each"));
  }
}

TEST_CASE("BMP pixels of 1, 4 and 8 bits are colours of the palette") {
  const Bytes first_row = {2, 1, 0, 6, 5, 4, 10, 9, 8};
  CHECK(pixels_of(Bmp{3, 1, 8, {0, 1, 2, 0}, four_colours, {}, 0, 4}.file()) == first_row);
  CHECK(pixels_of(Bmp{3, 1, 8, {0, 1, 2, 0}, four_colours}.file()) == first_row);
  CHECK(pixels_of(Bmp{3, 1, 4, {0x01, 0x2f, 0, 0}, four_colours, {}, 0, 4}.file()) ==
        first_row);  // f is beyond the row
  CHECK(pixels_of(Bmp{3, 1, 1, {0x5f, 0, 0, 0}, first(four_colours, 8), {}, 0, 2}.file()) ==
        Bytes{2, 1, 0, 6, 5, 4, 2, 1, 0});
  CHECK(pixels_of(Bmp{.width = 3,
                      .height = 1,
                      .bits = 8,
                      .pixels = {0, 1, 2, 0},
                      .palette = four_colours,
                      .colours = 4,
                      .header_size = 124,
                      .gap = 8}
                      .file()) == first_row);
}

TEST_CASE("a BMP pixel of a colour that the palette lacks is refused") {
  CHECK_THAT(image_error(Bmp{3, 1, 8, {0, 1, 4, 0}, four_colours, {}, 0, 4}.file()),
             EndsWith("image: has a pixel of colour 4, expected less than 4"));
  CHECK_THAT(image_error(Bmp{3, 1, 8, {0, 255, 0, 0}, four_colours}.file()),
             EndsWith("has a pixel of colour 255, expected less than 4"));
  CHECK_THAT(image_error(Bmp{3, 1, 8, {0, 3, 0, 0}, four_colours, {}, 0, 3}.file()),
             EndsWith("has a pixel of colour 3, expected less than 3"));
  CHECK_THAT(image_error(Bmp{3, 1, 4, {0x01, 0x40, 0, 0}, four_colours, {}, 0, 4}.file()),
             EndsWith("has a pixel of colour 4, expected less than 4"));
  CHECK_THAT(image_error(Bmp{3, 1, 1, {0x40, 0, 0, 0}, first(four_colours, 4), {}, 0, 1}.file()),
             EndsWith("has a pixel of colour 1, expected less than 1"));
  CHECK_THAT(image_error(Bmp{3, 1, 8, {0, 1, 2, 0}}.file()), Contains("room for 0 colours before its pixels"));
  CHECK_THAT(image_error(Bmp{3, 1, 8, {0, 1, 2, 0}, Bytes(2000, 0)}.file()), Contains("room for 500 colours"));
}

TEST_CASE("BMP files that are cut, or of a kind that is not read, are refused with what was found") {
  const Bytes file = Bmp{2, 2, 24, two_rows}.file();
  CHECK_THAT(image_error(first(file, file.size() - 1)), EndsWith("image: ends after 69 bytes, expected at least 70"));
  CHECK_THAT(image_error(first(file, 30)), EndsWith("ends after 30 bytes, expected 54 for its headers"));
  CHECK_THAT(image_error(bytes_of("BM")), EndsWith("ends after 2 bytes, expected 54 for its headers"));
  const auto with_start = [&](std::uint32_t start) {
    return first(file, 10) + little_endian(start) + Bytes(file.begin() + 14, file.end());
  };
  CHECK_THAT(image_error(with_start(0)), EndsWith("is a BMP whose pixels begin at byte 0, expected 54"));
  CHECK_THAT(image_error(with_start(0x7fffffff)),
             EndsWith("is a BMP whose pixels begin at byte 2147483647, expected 54"));
  CHECK_THAT(image_error(Bmp{3, 1, 8, {0, 1, 2, 0}, four_colours, {}, 1, 4}.file()),
             EndsWith("is a BMP with compression 1, expected an uncompressed one"));
  CHECK_THAT(image_error(Bmp{2, 1, 16, {1, 2, 3, 4}}.file()),
             EndsWith("is a BMP of 16 bits per pixel, expected 1, 4, 8, 24 or 32"));
  for (const int size : {12, 52, 56, 64}) {
    CHECK_THAT(image_error(Bmp{.width = 2, .height = 2, .bits = 24, .pixels = two_rows, .header_size = size}.file()),
               EndsWith("is a BMP with a header of " + std::to_string(size) + " bytes, expected 40, 108 or 124"));
  }
  CHECK_THAT(image_error(Bmp{-2, 2, 24, two_rows}.file()), Contains("is -2×2 pixels, expected at least 1×1"));
  CHECK_THAT(image_error(Bmp{0, 2, 24, two_rows}.file()), Contains("is 0×2 pixels"));
  CHECK_THAT(image_error(Bmp{2, std::numeric_limits<int>::min(), 24, two_rows}.file()),
             Contains("is 2×2147483648 pixels"));
}
