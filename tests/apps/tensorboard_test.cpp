// Event files, their records taken apart by hand.
#include "deft/apps/support/tensorboard.h"

#include <cstring>

#include "deft/core/file.h"
#include "deft/kernels/error.h"

#include "catch.h"
#include "temporary_directory.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

template <class T>
T number_at(const std::string& bytes, std::size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

// CRC-32C bit by bit, as RFC 3720 defines it, and TFRecord's mask.
std::uint32_t masked_crc(const std::string& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (unsigned char byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
  }
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

std::vector<std::string> records_of(const std::string& path) {
  const std::string file = read_file(path);
  std::vector<std::string> records;
  for (std::size_t at = 0; at < file.size();) {
    const auto length = number_at<std::uint64_t>(file, at);
    REQUIRE(at + 16 + length <= file.size());
    CHECK(number_at<std::uint32_t>(file, at + 8) == masked_crc(file.substr(at, 8)));
    records.push_back(file.substr(at + 12, length));
    CHECK(number_at<std::uint32_t>(file, at + 12 + length) == masked_crc(records.back()));
    at += 16 + length;
  }
  return records;
}

bool skipped() {
  if (!support::can_write_events()) WARN("SKIPPED: built without protobuf");
  return !support::can_write_events();
}

}  // namespace

TEST_CASE("an event file holds checked records of the version and the values", "[cpu]") {
  if (skipped()) return;
  CHECK(masked_crc("123456789") == ((0xe3069283u >> 15 | 0xe3069283u << 17) + 0xa282ead8u));  // RFC 3720's check value
  const TemporaryDirectory folder;
  support::EventWriter writer(folder.root().string());
  writer.add_scalars(300, {{"loss/train", 0.5}, {"loss/test", 0.25}});
  const support::EventWriter second(folder.root().string());
  CHECK(second.path() != writer.path());
  CHECK_THAT(writer.path(), Contains("/events.out.tfevents."));

  const std::vector<std::string> records = records_of(writer.path());
  REQUIRE(records.size() == 2);
  // Field 1: wall time, a double; field 3: the version, a text of 13 bytes.
  CHECK(records[0][0] == (1 << 3 | 1));
  CHECK(number_at<double>(records[0], 1) > 1.6e9);
  CHECK(records[0].substr(9) ==
        "\x1a\x0d"
        "brain.Event:2");
  // Field 2: the step, 300 = 0b10'0101100; field 5: the summary of two values of a tag and a float.
  std::string expected = "\x10\xac\x02\x2a\x25\x0a\x11\x0a\x0aloss/train\x15";
  expected += std::string("\0\0\0\x3f", 4) + "\x0a\x10\x0a\x09loss/test\x15" + std::string("\0\0\x80\x3e", 4);
  CHECK(records[1].substr(9) == expected);
}

TEST_CASE("an event file in a folder that does not exist is an error with its path", "[cpu]") {
  if (skipped()) return;
  CHECK_THROWS_WITH(support::EventWriter("/nowhere/at/all"),
                    Contains("/nowhere/at/all/events.out.tfevents.") && Contains("cannot create"));
}
