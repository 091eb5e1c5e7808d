// The benchmark program: every kernel runs, and its records can be read.
#include <nlohmann/json.hpp>
#include <set>

#include "deft/core/file.h"

#include "catch.h"
#include "program.h"
#include "temporary_directory.h"
#include "test_device.h"

using Catch::Matchers::Contains;

namespace {

const std::string device = " --device " + to_string(deft::testing::test_device());

nlohmann::json records_of(const std::string& arguments) {
  const TemporaryDirectory directory;
  const std::string file = directory.path("records.json");
  const ProgramResult result = run_shell(DEFT_BENCH " " + arguments + device + " --json " + file);
  INFO(result.output);
  REQUIRE(result.status == 0);
  return nlohmann::json::parse(deft::read_file(file));
}

}  // namespace

TEST_CASE("bench kernels times every kernel") {
  std::set<std::string> measured;
  for (const auto& record : records_of("kernels --tiny --seconds 0")) {
    INFO(record.dump());
    measured.insert(record.at("op").get<std::string>() + " " + record.at("pass").get<std::string>());
    for (const char* positive : {"bytes", "median_ms", "copy_share", "copy_gb_s"}) CHECK(record.at(positive) > 0);
    CHECK(record.at("min_ms") <= record.at("median_ms"));
    CHECK(record.at("runs") >= 5);
    if (record.contains("flops")) CHECK(record.at("peak_share") > 0);
  }
  for (const char* kernel : {"matmul a·b", "conv2d forward", "conv2d backward_weight", "deform_conv2d_v1 forward",
                             "deform_conv2d_v2 backward", "max_pool2d backward", "batch_norm, training backward",
                             "cross_entropy forward", "relu forward", "adam step"}) {
    INFO(kernel);
    CHECK(measured.count(kernel) == 1);
  }
}

TEST_CASE("bench kernels takes a filter") {
  const nlohmann::json records = records_of("kernels --tiny --seconds 0 --filter max_pool");
  REQUIRE(records.size() == 2);
  CHECK(records[0].at("op") == "max_pool2d");
}

TEST_CASE("bench step times both nets of E0") {
  const nlohmann::json records = records_of("step --tiny --batch-size 2 --seconds 0");
  REQUIRE(records.size() == 3);
  for (const auto& record : records) CHECK(record.at("median_ms") > 0);
}
