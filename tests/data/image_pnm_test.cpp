// Binary PNM files. The values are those of ⌊255·v/maxval + ½⌋; Pillow 13 has the same up to a maxval of 255 but for
// halves, which it rounds to even, and clips 16-bit grey instead of scaling it.
#include "catch.h"
#include "data/image_error.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

Bytes grey(const std::string& header, const Bytes& samples) {
  return image_from(bytes_of(header) + samples, 1).to_vector<std::uint8_t>();
}

}  // namespace

TEST_CASE("PNM samples are scaled to 255") {
  CHECK(grey("P5 3 1 255\n", {0, 7, 255}) == Bytes{0, 7, 255});
  CHECK(grey("P5 3 1 4\n", {0, 2, 4}) == Bytes{0, 128, 255});
  CHECK(grey("P5 3 1 100\n", {0, 100, 50}) == Bytes{0, 255, 128});
  CHECK(grey("P5 2 1 1\n", {0, 1}) == Bytes{0, 255});
  CHECK(grey("P5 2 1 65535\n", {0x12, 0x34, 0xab, 0xcd}) == Bytes{18, 171});
  CHECK(grey("P5 2 1 1000\n", {0x01, 0xf4, 0x03, 0xe8}) == Bytes{128, 255});
  CHECK(grey("P5 3 1 100\n", {0, 101, 255}) == Bytes{0, 255, 255});  // above the largest value: white
  CHECK(grey("P5 2 1 300\n", {0x01, 0x2c, 0xff, 0xff}) == Bytes{255, 255});
  const Tensor wide = image_from(bytes_of("P5 2 1 65535\n") + Bytes{0xff, 0xff, 0x80, 0x00}, 3);
  CHECK(wide.shape() == Shape{1, 2, 3});
  CHECK(wide.to_vector<std::uint8_t>() == Bytes{255, 255, 255, 128, 128, 128});
  const Bytes colour = bytes_of("P6 1 2 65535\n") + Bytes{0xff, 0xff, 0x80, 0x00, 0, 0, 0x12, 0x34, 0xab, 0xcd, 0, 1};
  CHECK(image_from(colour, 3).to_vector<std::uint8_t>() == Bytes{255, 128, 0, 18, 171, 0});
}

TEST_CASE("PBM bits are white where they are 0, and rows begin with a byte") {
  CHECK(image_from(bytes_of("P4 9 2\n") + Bytes{0xaa, 0x80, 0x55, 0x00}, 1).to_vector<std::uint8_t>() ==
        Bytes{0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255});
}

TEST_CASE("PNM headers may hold comments and any whitespace") {
  CHECK(grey("P5\n# by a scanner\n3 # wide\n#\n\n1\r255\n", {1, 2, 3}) == Bytes{1, 2, 3});
  CHECK(grey("P5\t3\v1\f255 ", {10, 32, 35}) == Bytes{10, 32, 35});
  CHECK(grey("P5 3 1 255\n", {1, 2, 3, 4, 5}) == Bytes{1, 2, 3});  // trailing bytes are nobody's
  CHECK(grey("P5 0000000003 1 255\n", {1, 2, 3}) == Bytes{1, 2, 3});
}

TEST_CASE("PNM files that are cut or no PNM are refused with what was found") {
  const auto error = [](const std::string& header, std::size_t samples) {
    return image_error(bytes_of(header) + Bytes(samples, 1));
  };
  CHECK_THAT(error("P5 16 16 65535\n", 256), EndsWith("image: ends after 271 bytes, expected 527"));
  CHECK_THAT(error("P5 9 9 255\n", 80), EndsWith("image: ends after 91 bytes, expected 92"));
  CHECK_THAT(error("P6 9 9 255\n", 242), EndsWith("ends after 253 bytes, expected 254"));
  CHECK_THAT(error("P4 9 2\n", 3), EndsWith("ends after 10 bytes, expected 11"));
  CHECK_THAT(error("P5 3 1 0\n", 3), EndsWith("PNM's largest value is 0, expected 1 to 65535"));
  CHECK_THAT(error("P5 3 1 65536\n", 6), EndsWith("PNM's largest value is 65536, expected 1 to 65535"));
  CHECK_THAT(error("P5 0 1 255\n", 3), Contains("is 0×1 pixels, expected at least 1×1"));
  CHECK_THAT(error("P5 3 -1 255\n", 3), EndsWith("PNM has no height at byte 5"));
  CHECK_THAT(error("P5 3 1", 0), EndsWith("PNM has no whitespace before its largest value"));
  CHECK_THAT(error("P5 3 1 255", 0), EndsWith("PNM has no whitespace at byte 10, after its header"));
  CHECK_THAT(error("P5 3 1 #", 0), EndsWith("PNM has no largest value at byte 9"));
  CHECK_THAT(error("P5 99999999999 1 255\n", 3), EndsWith("PNM's width has more than 10 digits"));
  CHECK_THAT(error("P53 1 255\n", 3), EndsWith("PNM has no whitespace before its width"));
  CHECK_THAT(error("P2 3 1 255\n1 2 3", 0), EndsWith("is a plain PNM file (P2), expected a binary one (P4, P5 or P6)"));
  CHECK_THAT(error("P7\nWIDTH 1\n", 0),
             Contains("starts with 0x50370a57, expected a PNG, JPEG, BMP or binary PNM file"));
}
