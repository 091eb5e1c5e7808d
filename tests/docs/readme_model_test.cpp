// README.md's program as a newcomer runs it, on drawn digits in MNIST's files.
#include "deft/data/synthetic_digits.h"

#include "catch.h"
#include "data/files.h"
#include "shell.h"
#include "temporary_directory.h"

namespace {

void write_digits(const std::filesystem::path& folder, const std::string& part, const deft::Dataset& digits) {
  const auto count = static_cast<std::uint32_t>(digits.size());
  const std::vector<std::int64_t> labels = digits.labels.to_vector<std::int64_t>();
  write_bytes(folder / (part + "-images-idx3-ubyte"),
              first(idx({count, 28, 28}), 16) + digits.images.to_vector<std::uint8_t>());
  write_bytes(folder / (part + "-labels-idx1-ubyte"), first(idx({count}), 8) + Bytes(labels.begin(), labels.end()));
}

}  // namespace

TEST_CASE("README's program trains and tests its net", "[cpu]") {
  const TemporaryDirectory data;
  write_digits(data.root(), "train", deft::synthetic_digits(20000, deft::Part::train));
  write_digits(data.root(), "t10k", deft::synthetic_digits(500, deft::Part::test));
  const ProgramResult result = run_shell("DEFT_DATA=" + data.root().string() + " " DEFT_README_MODEL);
  INFO(result.output);
  REQUIRE(result.status == 0);
  CHECK(std::stod(result.output) > 0.5);  // chance is 0.1
}
