// Image files: whole, resized, damaged.
#include "deft/data/image.h"

#include <cmath>

#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "data/files.h"
#include "temporary_directory.h"

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

// Not static: programs with an stb_image of their own must link.
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

// Pixels 0, 1, 2, … modulo 256.
Bytes ramp(std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

void write_png(const std::filesystem::path& path, int height, int width, int channels) {
  std::filesystem::create_directories(path.parent_path());
  const Bytes pixels = ramp(static_cast<std::size_t>(height * width * channels));
  REQUIRE(stbi_write_png(path.c_str(), width, height, channels, pixels.data(), 0) != 0);
}

std::string error_of(const std::filesystem::path& path) {
  try {
    load_image(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// resize_image's definition, in float64: a triangle as wide as a source or a destination pixel, whichever is wider.
double resized(const Bytes& pixels, int h, int w, int height, int width, int row, int column) {
  const auto weight = [](int i, int from, int to, int at) {
    const double scale = double(from) / to, centre = (i + 0.5) * scale - 0.5;
    return std::max(0.0, 1 - std::abs(at - centre) / std::max(1.0, scale));
  };
  double sum = 0, total = 0;
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      const double share = weight(row, h, height, y) * weight(column, w, width, x);
      sum += share * pixels[std::size_t(y * w + x)];
      total += share;
    }
  }
  return sum / total;
}

}  // namespace

TEST_CASE("PNG pixels come out as they went in, in the channels asked for") {
  const TemporaryDirectory folder;
  write_png(folder.path("grey.png"), 5, 7, 1);
  write_png(folder.path("colour.png"), 5, 7, 3);
  CHECK(load_image(folder.path("grey.png"), {.channels = 1}).to_vector<std::uint8_t>() == ramp(35));
  CHECK(load_image(folder.path("colour.png")).to_vector<std::uint8_t>() == ramp(105));
  CHECK(load_image(folder.path("colour.png"), {.channels = 1}).shape() == Shape{5, 7, 1});
  const Tensor grey = load_image(folder.path("grey.png"));
  CHECK(alias(grey, {6}).to_vector<std::uint8_t>() == Bytes{0, 0, 0, 1, 1, 1});
  CHECK_THROWS_WITH(load_image(folder.path("grey.png"), {.channels = 2}), Contains("channels is 2, expected 1 or 3"));
}

TEST_CASE("a program may have an stb_image of its own") {
  const TemporaryDirectory folder;
  write_png(folder.path("a.png"), 5, 7, 3);
  int width = 0, height = 0, channels = 0;
  stbi_uc* pixels = stbi_load(folder.path("a.png").c_str(), &width, &height, &channels, 3);
  REQUIRE(pixels != nullptr);
  CHECK(load_image(folder.path("a.png")).to_vector<std::uint8_t>() == Bytes(pixels, pixels + 5 * 7 * 3));
  stbi_image_free(pixels);
}

TEST_CASE("JPEG, BMP and PNM files are read") {
  const TemporaryDirectory folder;
  const Bytes flat(6 * 6 * 3, 120);
  REQUIRE(stbi_write_jpg(folder.path("a.jpg").c_str(), 6, 6, 3, flat.data(), 95) != 0);
  REQUIRE(stbi_write_bmp(folder.path("a.bmp").c_str(), 6, 6, 3, flat.data()) != 0);
  write_bytes(folder.path("a.pgm"), Bytes{'P', '5', ' ', '2', ' ', '1', ' ', '2', '5', '5', '\n', 3, 250});
  CHECK(load_image(folder.path("a.bmp")).to_vector<std::uint8_t>() == flat);
  for (const int value : load_image(folder.path("a.jpg")).to_vector<std::uint8_t>()) CHECK(std::abs(value - 120) <= 2);
  CHECK(load_image(folder.path("a.pgm"), {.channels = 1}).to_vector<std::uint8_t>() == Bytes{3, 250});
}

TEST_CASE("PNG and BMP files that Pillow wrote are read as it reads them") {
  const std::filesystem::path folder = DEFT_TEST_IMAGES;
  const Bytes expected = load_image(folder / "palette.ppm").to_vector<std::uint8_t>();
  CHECK(load_image(folder / "palette.png").to_vector<std::uint8_t>() == expected);
  CHECK(load_image(folder / "palette.bmp").to_vector<std::uint8_t>() == expected);
}

TEST_CASE("damaged image files are named with what was found") {
  const TemporaryDirectory folder;
  const std::string path = folder.path("x.png");
  write_png(path, 9, 9, 3);
  const Bytes png = read_bytes(path);
  const auto error_for = [&](const Bytes& bytes) {
    write_bytes(path, bytes);
    return error_of(path);
  };
  CHECK(error_for({}) == path + ": is empty, expected a PNG, JPEG, BMP or binary PNM file");
  CHECK_THAT(error_for(Bytes(100, 'x')),
             EndsWith("starts with 0x78787878, expected a PNG, JPEG, BMP or binary PNM file"));
  CHECK_THAT(error_for(first(png, png.size() - 16)), Contains("PNG ends after") && Contains("IDAT"));
  CHECK_THAT(error_for(first(png, png.size() - 12)), EndsWith("before its IEND chunk"));
  CHECK_THAT(error_for(first(png, 12)), EndsWith("PNG ends after 12 bytes, before its IEND chunk"));
  Bytes flipped = png;
  flipped[png.size() - 17] ^= 4;
  CHECK_THAT(error_for(flipped), Contains("PNG chunk IDAT at byte 33 has checksum"));
  Bytes typeless = png;
  std::fill_n(typeless.begin() + 37, 4, std::uint8_t{'\n'});
  CHECK_THAT(error_for(typeless), Contains("PNG chunk 0x0a0a0a0a at byte 33 has checksum"));
  write_gz(path, png);
  CHECK_THAT(error_of(path), EndsWith("is compressed, expected an image file"));
  CHECK_THAT(error_of(folder.path("none.png")), EndsWith("none.png: cannot be opened (No such file or directory)"));

  const Bytes pixels = ramp(40 * 40 * 3);
  REQUIRE(stbi_write_jpg(path.c_str(), 40, 40, 3, pixels.data(), 90) != 0);
  const Bytes jpeg = read_bytes(path);
  CHECK_THAT(error_for(first(jpeg, jpeg.size() - 2)), EndsWith("without an end-of-image marker"));
  CHECK_THAT(error_for(first(jpeg, 300)), EndsWith("JPEG ends after 300 bytes, expected 593 for its c4 segment"));
}

TEST_CASE("truncated files of the formats without compression are found too") {
  const TemporaryDirectory folder;
  const std::string path = folder.path("x.bmp");
  const Bytes pixels = ramp(6 * 6 * 3);
  REQUIRE(stbi_write_bmp(path.c_str(), 6, 6, 3, pixels.data()) != 0);
  const Bytes bmp = read_bytes(path);
  write_bytes(path, first(bmp, bmp.size() - 1));
  CHECK_THAT(error_of(path), EndsWith("x.bmp: ends after 173 bytes, expected at least 174"));
  write_bytes(path, Bytes{'P', '5', ' ', '9', ' ', '9', ' ', '2', '5', '5', '\n', 3, 250});
  CHECK_THAT(error_of(path), EndsWith("ends after 13 bytes, expected 92"));
}

TEST_CASE("an image that claims to be huge is refused before memory is taken") {
  const TemporaryDirectory folder;
  write_bytes(folder.path("huge.ppm"), Bytes{'P', '6', ' ', '9', '0', '0', '0', '0',  ' ', '8', '0',
                                             '0', '0', '0', ' ', '2', '5', '5', '\n', 1,   2,   3});
  CHECK_THAT(error_of(folder.path("huge.ppm")),
             EndsWith("is 90000×80000 pixels, expected at least 1×1 and at most 67108864 in all"));
}

TEST_CASE("resizing is a linear filter as wide as the reduction") {
  const Bytes pixels = ramp(9 * 13);
  const Tensor image = from_vector(pixels, {9, 13, 1}, Device::cpu());
  for (const auto& [height, width] : {std::pair(4, 5), std::pair(9, 26), std::pair(20, 3), std::pair(1, 1)}) {
    const Tensor result = resize_image(image, height, width);
    REQUIRE(result.shape() == Shape{height, width, 1});
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const double expected = resized(pixels, 9, 13, height, width, y, x);
        CHECK(result.data<std::uint8_t>()[y * width + x] == Approx(expected).margin(0.502));  // rounded
      }
    }
  }
  CHECK(resize_image(image, 9, 13).to_vector<std::uint8_t>() == pixels);
  CHECK_THROWS_WITH(resize_image(image, 0, 3), Contains("size is 0×3"));
}
