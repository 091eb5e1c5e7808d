// JPEG files. The files of tests/data/images were written by Pillow, which read the pixels beside them.
#include <algorithm>

#include "catch.h"
#include "data/image_error.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

#ifdef DEFT_HAVE_LIBJPEG
constexpr int most_difference = 0;
#else
constexpr int most_difference = 3;  // stb_image rounds otherwise, in the inverse DCT, the upsampling and the colours
#endif

Bytes jpeg(const std::string& name) { return read_bytes(std::string(DEFT_TEST_IMAGES) + "/" + name + ".jpg"); }

// Where a marker stands for the n-th time.
std::size_t find_marker(const Bytes& bytes, std::uint8_t marker, int n = 0) {
  auto at = bytes.begin() + 2;
  while (true) {
    const Bytes mark = {0xff, marker};
    at = std::search(at, bytes.end(), mark.begin(), mark.end());
    REQUIRE(at != bytes.end());
    if (n-- == 0) return std::size_t(at - bytes.begin());
    ++at;
  }
}

Bytes from(const Bytes& bytes, std::size_t start) { return Bytes(bytes.begin() + std::ptrdiff_t(start), bytes.end()); }

Bytes inserted(const Bytes& bytes, std::size_t at, const Bytes& more) {
  return first(bytes, at) + more + from(bytes, at);
}

Bytes removed(const Bytes& bytes, std::size_t at, std::size_t count) {
  return first(bytes, at) + from(bytes, at + count);
}

Bytes changed(Bytes bytes, std::size_t at, std::uint8_t value) {
  REQUIRE(bytes[at] != value);
  bytes[at] = value;
  return bytes;
}

// With this EXIF block.
Bytes with_exif(const Bytes& bytes, const Bytes& tiff) {
  const auto length = std::uint8_t(tiff.size() + 8);
  return inserted(bytes, 2, Bytes{0xff, 0xe1, 0, length, 'E', 'x', 'i', 'f', 0, 0} + tiff);
}

const Bytes end_of_image = {0xff, 0xd9};

}  // namespace

TEST_CASE("JPEG files are read as Pillow reads them") {
  for (const std::string name : {"444", "420", "progressive", "restarts", "rgb", "cmyk", "ycck", "grey"}) {
    INFO(name);
    const Tensor image = image_from(jpeg(name), 3);
    const Tensor expected = load_image(std::string(DEFT_TEST_IMAGES) + "/" + name + ".ppm");
    REQUIRE(image.shape() == expected.shape());
    int difference = 0;
    for (std::int64_t i = 0; i < image.numel(); ++i) {
      difference = std::max(difference, std::abs(image.data<std::uint8_t>()[i] - expected.data<std::uint8_t>()[i]));
    }
    CHECK(difference <= most_difference);
  }
#ifdef DEFT_HAVE_LIBJPEG
  CHECK(image_from(jpeg("422"), 3).to_vector<std::uint8_t>() ==
        load_image(std::string(DEFT_TEST_IMAGES) + "/422.ppm").to_vector<std::uint8_t>());
#else
  // stb_image makes another colour of the last chroma but one.
  CHECK_THAT(image_error(jpeg("422")), EndsWith("expected chroma that is not 4:2:2, which it blurs wrongly"));
#endif
}

TEST_CASE("grey of a JPEG is that of its colours") {
  const Bytes colours = image_from(jpeg("444"), 3).to_vector<std::uint8_t>();
  const Bytes grey = image_from(jpeg("444"), 1).to_vector<std::uint8_t>();
  for (std::size_t i = 0; i < grey.size(); ++i) {
    CHECK(grey[i] == (19595 * colours[3 * i] + 38470 * colours[3 * i + 1] + 7471 * colours[3 * i + 2] + 32768) >> 16);
  }
}

TEST_CASE("a JPEG is turned as its EXIF orientation says, in either byte order") {
  const Bytes plain = image_from(jpeg("grey"), 1).to_vector<std::uint8_t>();
  // Which pixel of the file stands where: by PIL.ImageOps.exif_transpose of Pillow 13 on a 2×3 picture.
  const std::vector<std::vector<std::size_t>> sources = {{0, 1, 2, 3, 4, 5}, {2, 1, 0, 5, 4, 3}, {5, 4, 3, 2, 1, 0},
                                                         {3, 4, 5, 0, 1, 2}, {0, 3, 1, 4, 2, 5}, {3, 0, 4, 1, 5, 2},
                                                         {5, 2, 4, 1, 3, 0}, {2, 5, 1, 4, 0, 3}};
  for (std::uint8_t orientation = 1; orientation <= 8; ++orientation) {
    const Bytes big = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0};
    const Bytes little = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0};
    const Bytes wide = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 4, 0, 0, 0, 1, 0, 0, 0, orientation};
    for (const Bytes& exif : {big, little, wide}) {
      const Tensor image = image_from(with_exif(jpeg("grey"), exif), 1);
      CHECK(image.shape() == (orientation < 5 ? Shape{2, 3, 1} : Shape{3, 2, 1}));
      for (std::size_t i = 0; i < 6; ++i) {
        CHECK(image.data<std::uint8_t>()[i] == plain[sources[orientation - 1u][i]]);
      }
    }
  }
}

TEST_CASE("the orientation is that of the picture, before it is resized") {
  const Bytes exif = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0};
  const TemporaryDirectory folder;
  write_bytes(folder.path("a.jpg"), with_exif(jpeg("420"), exif));
  CHECK(load_image(folder.path("a.jpg")).shape() == Shape{21, 18, 3});
  CHECK(load_image(folder.path("a.jpg"), {.height = 21}).shape() == Shape{21, 18, 3});
}

TEST_CASE("damaged EXIF leaves a JPEG as it is") {
  const Bytes plain = image_from(jpeg("grey"), 1).to_vector<std::uint8_t>();
  const Bytes head = {'M', 'M', 0, 42, 0, 0, 0, 8};
  for (const Bytes& exif :
       {Bytes{}, Bytes{'M'}, Bytes{'M', 'M', 0, 42, 0xff, 0xff, 0xff, 0xff}, Bytes{'I', 'I', 42, 0, 8, 0, 0, 0, 1},
        head + Bytes{0xff, 0xff}, head + Bytes{0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 9, 0, 0},
        head + Bytes{0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0}, head + Bytes{0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1},
        head + Bytes{0, 1, 1, 0x12, 0, 2, 0, 0, 0, 1, 0, 6, 0, 0}, Bytes{'X', 'X', 0, 42, 0, 0, 0, 8, 0, 1}}) {
    CHECK(image_from(with_exif(jpeg("grey"), exif), 1).to_vector<std::uint8_t>() == plain);
  }
}

TEST_CASE("what cameras leave between and after the segments of a JPEG changes nothing") {
  const Bytes file = jpeg("420"), plain = image_from(file, 3).to_vector<std::uint8_t>();
  const std::size_t end = file.size() - 2;
  CHECK(image_from(file + bytes_of("more"), 3).to_vector<std::uint8_t>() == plain);
  CHECK(image_from(inserted(file, end, {0, 0, 0}), 3).to_vector<std::uint8_t>() == plain);
  CHECK(image_from(inserted(file, end, {0xff, 0xff}), 3).to_vector<std::uint8_t>() == plain);
  CHECK(image_from(inserted(file, find_marker(file, 0xda), bytes_of("abc")), 3).to_vector<std::uint8_t>() == plain);
  // A second picture, as in the files of cameras with two lenses.
  CHECK(image_from(file + jpeg("grey"), 3).to_vector<std::uint8_t>() == plain);
}

TEST_CASE("a Huffman table with more than 256 symbols, or more than its segment holds, is refused") {
  const Bytes file = jpeg("444");
  const std::size_t counts = find_marker(file, 0xc4) + 5;
  Bytes bomb = file;
  std::fill_n(bomb.begin() + std::ptrdiff_t(counts), 16, 255);
  for (const Bytes& bytes : {bomb, changed(file, counts + 3, 200)}) {
    CHECK_THAT(image_error(bytes), Contains("image: ") && Contains("Huffman table") && !Contains("\n"));
  }
  CHECK_THAT(image_error(changed(file, counts - 1, 0x04)), Contains("image: ") && !Contains("\n"));  // table 4
}

TEST_CASE("JPEG pictures that are not whole are refused") {
  const Bytes file = jpeg("444"), restarts = jpeg("restarts"), progressive = jpeg("progressive");
  const std::size_t frame = find_marker(file, 0xc0), scan = find_marker(file, 0xda);
  std::vector<Bytes> damaged = {
      first(file, file.size() - 40) + end_of_image,       // cut, but with its last marker
      first(file, scan + 30) + end_of_image,              // nearly nothing
      removed(restarts, find_marker(restarts, 0xd0), 2),  // a restart is lost
      changed(file, frame + 6, 200),                      // more rows than there are data for
      changed(file, frame + 6, 0),                        // none
      changed(file, frame + 4, 12),                       // 12 bits
      changed(file, frame + 9, 2),                        // two components
      changed(file, frame + 1, 0xc3),                     // lossless
      changed(file, scan + 6, 0x33),                      // Huffman tables that are not there
      removed(file, find_marker(file, 0xdb), 2 + 67),     // no quantization table
      first(file, scan) + end_of_image,                   // no scan
      first(file, frame) + from(file, scan),              // no frame
      first(file, find_marker(file, 0xc4)) + Bytes{0xff, 0xc4, 0, 1} + from(file, scan),
  };
  for (int scans = 1; scans < 10; ++scans) {  // the later ones of a progressive file are missing, or the first
    damaged.push_back(first(progressive, find_marker(progressive, 0xda, scans)) + end_of_image);
  }
  const std::size_t first_scan = find_marker(progressive, 0xda);
  damaged.push_back(first(progressive, first_scan) + from(progressive, find_marker(progressive, 0xda, 1)));
  for (std::size_t i = 0; i < damaged.size(); ++i) {
    INFO("file " << i);
    const std::string error = image_error(damaged[i]);
    CHECK_THAT(error, Contains("image: ") && !Contains("\n"));
  }
}

TEST_CASE("a JPEG is cut where its structure ends early, whatever its last bytes are") {
  const Bytes file = jpeg("444");
  CHECK_THAT(image_error(first(file, file.size() - 2)), EndsWith("without an end-of-image marker"));
  CHECK_THAT(image_error(first(file, file.size() - 1)), EndsWith("without an end-of-image marker"));
  CHECK_THAT(image_error(first(file, 12)), EndsWith("JPEG ends after 12 bytes, expected 20 for its e0 segment"));
  // The end-of-image marker of a preview in a segment is not the picture's.
  const Bytes preview = {0xff, 0xe2, 0, 6, 0xff, 0xd8, 0xff, 0xd9};
  CHECK_THAT(image_error(inserted(first(file, file.size() - 2), 2, preview)),
             EndsWith("without an end-of-image marker"));
  CHECK_THAT(image_error({0xff, 0xd8}), EndsWith("JPEG ends after 2 bytes without an end-of-image marker"));
  CHECK_THAT(image_error({0xff, 0xd8, 0xff, 0xd9}), Contains("image: "));
}

TEST_CASE("a JPEG of very many scans is refused") {
  const Bytes file = jpeg("progressive");
  const std::size_t last = find_marker(file, 0xda, 9);
  const Bytes scan = first(from(file, last), file.size() - 2 - last);
  Bytes bomb = first(file, file.size() - 2);
  for (int i = 0; i < 200; ++i) bomb = bomb + scan;
  CHECK_THAT(image_error(bomb + end_of_image), Contains("image: ") && !Contains("\n"));
}
