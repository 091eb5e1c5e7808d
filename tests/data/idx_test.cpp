// IDX files: whole, compressed, damaged.
#include "deft/data/idx.h"

#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "data/files.h"
#include "temporary_directory.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

const Bytes three_images = idx({3, 28, 28}), three_labels = idx({3}, 10);

// The text of the error that reading this file gives.
std::string error_of(const std::string& path, int dim) {
  try {
    read_idx(path, dim);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("an IDX file of 32-bit integers is read as int64") {
  const TemporaryDirectory folder;
  const std::string path = folder.path("labels");
  const Bytes stored = {0, 0, 12, 2, 0, 0, 0,    2,    0,    0,    0,    2, 0, 0,
                        0, 7, 0,  1, 0, 2, 0xff, 0xff, 0xff, 0xfe, 0x7f, 0, 0, 0};
  write_bytes(path, stored);
  const Tensor values = read_idx(path, 2, DType::int64);
  CHECK(values.shape() == Shape{2, 2});
  CHECK(values.to_vector<std::int64_t>() == std::vector<std::int64_t>{7, 65538, -2, 2130706432});
  CHECK(error_of(path, 2) == path + ": magic number is 0x00000c02, expected 0x00000802");
  CHECK_THROWS_WITH(read_idx(path, 1, DType::int64), EndsWith("magic number is 0x00000c02, expected 0x00000c01"));
  CHECK_THROWS_WITH(read_idx(path, 2, DType::float32), "read_idx: values is float32, expected uint8 or int64");
  write_bytes(path, first(stored, stored.size() - 1));
  CHECK_THROWS_WITH(read_idx(path, 2, DType::int64),
                    EndsWith("is 27 bytes long, expected 28 (a header of 12 and 2×2×4)"));
}

// Browsers and proxies unpack a download and keep its name, or the other way round.
TEST_CASE("whether a file is compressed is seen from its bytes, not from its name") {
  const TemporaryDirectory folder;
  write_bytes(folder.path("plain.gz"), three_labels);
  write_gz(folder.path("packed"), three_labels);
  for (const char* name : {"plain.gz", "packed"}) {
    CHECK(read_idx(folder.path(name), 1).to_vector<std::uint8_t>() == Bytes{0, 1, 2});
  }
  write_bytes(folder.path("page.gz"), {'<', 'h', 't', 'm', 'l', '>'});
  CHECK_THAT(error_of(folder.path("page.gz"), 1), EndsWith("page.gz: magic number is 0x3c68746d, expected 0x00000801"));
}

TEST_CASE("gzip files of several members are read through") {
  const TemporaryDirectory folder;
  write_gz(folder.path("a.gz"), first(three_labels, 9));
  write_gz(folder.path("b.gz"), Bytes(three_labels.begin() + 9, three_labels.end()));
  write_bytes(folder.path("both.gz"), read_bytes(folder.path("a.gz")) + read_bytes(folder.path("b.gz")));
  CHECK(read_idx(folder.path("both.gz"), 1).to_vector<std::uint8_t>() == Bytes{0, 1, 2});
}

TEST_CASE("damaged IDX files are named with what was found") {
  const TemporaryDirectory folder;
  const std::string path = folder.path("images");
  const auto error_for = [&](const Bytes& bytes) {
    write_bytes(path, bytes);
    return error_of(path, 3);
  };
  CHECK(error_for({}) == path + ": ends after 0 bytes, expected 4");
  CHECK(error_for(three_labels) == path + ": magic number is 0x00000801, expected 0x00000803");
  CHECK(error_for(first(three_images, 10)) == path + ": ends after 10 bytes, expected 16");
  CHECK_THAT(error_for(first(three_images, 2000)),
             EndsWith("is 2000 bytes long, expected 2368 (a header of 16 and 3×28×28)"));
  CHECK_THAT(error_for(three_images + Bytes{0}), Contains("is 2369 bytes long, expected 2368"));
  CHECK_THAT(error_of(folder.path("missing"), 3), EndsWith("missing: cannot be opened (No such file or directory)"));
  CHECK_THAT(error_of(folder.root().string(), 3), EndsWith("is a folder, expected a file"));
  CHECK(error_of("/dev/null", 3) == "/dev/null: is no regular file");
  CHECK(error_of(path, 0) == "read_idx: dim is 0, expected 1 to 8");
  CHECK(error_of(path, 9) == "read_idx: dim is 9, expected 1 to 8");
}

TEST_CASE("damaged gzip files are named with what was found") {
  const TemporaryDirectory folder;
  const std::string path = folder.path("labels.gz");
  write_gz(path, three_labels);
  const Bytes good = read_bytes(path);
  const auto error_for = [&](const Bytes& bytes) {
    write_bytes(path, bytes);
    return error_of(path, 1);
  };
  REQUIRE(error_for(good) == "no error");
  CHECK_THAT(error_for({0x1f, 0x8b}), Contains("ends in the middle of its gzip data (2 bytes)"));
  CHECK_THAT(error_for(first(good, good.size() - 1)), Contains("ends in the middle of its gzip data"));
  CHECK_THAT(error_for(first(good, 12)), Contains("ends in the middle of its gzip data (12 bytes)"));
  CHECK_THAT(error_for(good + Bytes{7}), EndsWith("goes on after the end of its gzip data"));
  Bytes wrong_checksum = good;
  wrong_checksum[good.size() - 8] ^= 1;
  CHECK_THAT(error_for(wrong_checksum), Contains("damaged gzip data after 11 unpacked bytes (incorrect data check)"));
  Bytes wrong_length = good;
  wrong_length[good.size() - 1] ^= 1;
  CHECK_THAT(error_for(wrong_length), Contains("incorrect length check"));
  write_gz(path, three_labels + Bytes{1});
  CHECK_THAT(error_of(path, 1), EndsWith("goes on after the expected 11 unpacked bytes"));
  write_gz(path, first(three_labels, 10));
  CHECK_THAT(error_of(path, 1), EndsWith("ends after 10 unpacked bytes, expected 11"));
}

TEST_CASE("a header that promises billions of images takes no memory") {
  const TemporaryDirectory folder;
  Bytes huge = idx({1, 28, 28});
  huge[4] = huge[5] = huge[6] = huge[7] = 0xff;
  reset_peak_memory(Device::cpu());
  const std::int64_t before = memory_stats(Device::cpu()).peak_in_use;
  write_bytes(folder.path("plain"), huge);
  CHECK_THAT(error_of(folder.path("plain"), 3), Contains("is 800 bytes long, expected 3367254359296 "));
  write_gz(folder.path("packed.gz"), huge);
  CHECK_THAT(error_of(folder.path("packed.gz"), 3), Contains("too short to unpack to 3367254359296 bytes"));
  std::fill(huge.begin() + 4, huge.begin() + 16, std::uint8_t{0xff});
  write_bytes(folder.path("product"), huge);
  CHECK_THAT(error_of(folder.path("product"), 3), Contains("header promises 4294967295×4294967295×4294967295 bytes"));
  CHECK(memory_stats(Device::cpu()).peak_in_use == before);
}
