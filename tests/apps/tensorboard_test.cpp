// Event files, their records taken apart by hand.
#include "deft/apps/support/tensorboard.h"

#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "event_records.h"
#include "temporary_directory.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

bool skipped() {
  if (!support::can_write_events()) deft::testing::skip("built without protobuf");
  return !support::can_write_events();
}

}  // namespace

TEST_CASE("an event file holds checked records of the version and the values", "[cpu]") {
  if (skipped()) return;
  CHECK(masked_crc("123456789") == ((0xe3069283u >> 15 | 0xe3069283u << 17) + 0xa282ead8u));  // RFC 3720's check value
  const TemporaryDirectory folder;
  support::EventWriter writer(folder.root().string());
  writer.add_scalars(300, {{"loss/train", 0.5}, {"loss/test", 0}});
  const support::EventWriter second(folder.root().string());
  CHECK(second.path() != writer.path());
  CHECK_THAT(writer.path(), Contains("/events.out.tfevents."));

  const std::vector<std::string> records = records_of(writer.path());
  REQUIRE(records.size() == 3);
  // Field 1: wall time, a double; field 3: the version, a text of 13 bytes.
  CHECK(records[0][0] == (1 << 3 | 1));
  CHECK(number_at<double>(records[0], 1) > 1.6e9);
  CHECK(records[0].substr(9) ==
        "\x1a\x0d"
        "brain.Event:2");
  // Field 7: the start of a session, from step 0 on.
  CHECK(records[1].substr(9) == "\x3a\x02\x08\x01");
  // Field 2: the step, 300 = 0b10'0101100; field 5: the summary of two values of a tag and a float.
  std::string expected = "\x10\xac\x02\x2a\x25\x0a\x11\x0a\x0aloss/train\x15";
  expected += std::string("\0\0\0\x3f", 4) + "\x0a\x10\x0a\x09loss/test\x15" + std::string(4, '\0');
  CHECK(records[2].substr(9) == expected);
}

TEST_CASE("an event file in a folder that does not exist is an error with its path", "[cpu]") {
  if (skipped()) return;
  CHECK_THROWS_WITH(support::EventWriter("/nowhere/at/all"),
                    Contains("/nowhere/at/all/events.out.tfevents.") && Contains("cannot create"));
}
