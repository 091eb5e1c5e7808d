// The benchmark program: every kernel runs, and its records can be read.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "deft/core/file.h"
#include "deft/kernels/runtime/detail/caching_allocator.h"
#include "deft/kernels/runtime/instruction_set.h"

#include "catch.h"
#include "program.h"
#include "temporary_directory.h"
#include "test_device.h"

using Catch::Matchers::Contains;

namespace {

const std::string device_name = to_string(deft::testing::test_device());
const bool on_cpu = device_name == "cpu";  // larger nets take long on emulated GPUs

ProgramResult bench(const std::string& arguments) { return run_shell(DEFT_BENCH " " + arguments); }

nlohmann::json records_of(const std::string& arguments) {
  const TemporaryDirectory directory;
  const std::string file = directory.path("records.json");
  const ProgramResult result = bench(arguments + " --device " + device_name + " --json " + file);
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

TEST_CASE("bench kernels calls every function of the kernels' contracts") {
  const std::filesystem::path root = DEFT_SOURCE_DIR;
  std::string cases;
  for (const auto& file : std::filesystem::directory_iterator(root / "apps/bench")) {
    if (file.path().extension() == ".cpp") cases += deft::read_file(file.path().string());
  }
  static const std::regex function(R"(DEFT_CONTRACT\(\([^)]*\), \w+, (\w+),)");
  std::size_t functions = 0;
  for (const auto& file : std::filesystem::directory_iterator(root / "kernels")) {
    if (file.path().extension() != ".h") continue;
    const std::string contract = deft::read_file(file.path().string());
    for (std::sregex_iterator at(contract.begin(), contract.end(), function), end; at != end; ++at) {
      INFO(file.path().filename().string() << ": " << (*at)[1]);
      CHECK(std::regex_search(cases, std::regex("\\b" + (*at)[1].str() + "[<(]")));
      ++functions;
    }
  }
  CHECK(functions > 40);
}

TEST_CASE("bench kernels takes a filter") {
  const nlohmann::json records = records_of("kernels --tiny --seconds 0 --filter max_pool");
  REQUIRE(records.size() == 2);
  CHECK(records[0].at("op") == "max_pool2d");
}

TEST_CASE("bench ops times both passes of every convolution") {
  std::set<std::string> measured;
  for (const auto& record : records_of("ops --tiny --seconds 0 --threads 1 --shapes '2,8,16,5;1,4,4,3'")) {
    INFO(record.dump());
    measured.insert(record.at("op").get<std::string>() + " " + record.at("pass").get<std::string>());
    for (const char* positive : {"median_ms", "min_ms", "gflops", "peak_share"}) CHECK(record.at(positive) > 0);
    CHECK(record.at("min_ms") <= record.at("median_ms"));
    const bool first = record.at("n") == 2;
    CHECK(record.at("c") == (first ? 8 : 4));
    CHECK(record.at("o") == (first ? 16 : 4));
    CHECK(record.at("size") == (first ? 5 : 3));
    CHECK(record.at("precision") == "highest");
    if (!on_cpu) continue;
    CHECK(record.at("threads") == 1);
    CHECK(record.at("fma_peak_gflops") > 0);
    CHECK(record.at("instruction_set") == to_string(deft::instruction_set()));
    // 2 operations for each of 3·3 taps, of which backward takes twice as many as forward
    const double operations = (first ? 2 * 25 * 8 * 16 : 9 * 4 * 4) * 18.0 * (record.at("pass") == "forward" ? 1 : 3);
    CHECK(record.at("gflops").get<double>() == Approx(1e-6 * operations / record.at("median_ms").get<double>()));
  }
  for (const std::string op : {"conv2d", "deform_conv2d_v1", "deform_conv2d_v2"}) {
    CHECK(measured.count(op + " forward") == 1);
    CHECK(measured.count(op + " forward_backward") == 1);
  }
  CHECK(measured.count("conv2d_winograd forward") == (on_cpu ? 1 : 0));
}

TEST_CASE("bench ops records the precision") {
  const nlohmann::json records =
      records_of("ops --tiny --seconds 0 --shapes 1,4,4,3 --filter 'conv2d forward ' --precision tf32");
  REQUIRE(!records.empty());
  for (const auto& record : records) CHECK(record.at("precision") == "tf32");
}

TEST_CASE("bench says what --tiny makes small") {
  CHECK_THAT(bench("kernels --help").output, Contains("kernels and ceilings at sizes"));
  for (const std::string command : {"ops", "step", "data", "memory"}) {
    CHECK_THAT(bench(command + " --help").output, Contains("the machine's ceilings, not the rows, at sizes"));
  }
}

TEST_CASE("bench ops takes a filter of operation, pass and shape") {
  const nlohmann::json records =
      records_of("ops --tiny --seconds 0 --shapes '1,4,4,3;2,4,4,3' --filter 'deform_conv2d_v2 forward 2,'");
  REQUIRE(records.size() == 1);
  CHECK(records[0].at("op") == "deform_conv2d_v2");
  CHECK(records[0].at("pass") == "forward");
  CHECK(records[0].at("n") == 2);
}

TEST_CASE("bench refuses what it cannot measure in one line") {
  const auto error = [](const std::string& arguments) {
    const ProgramResult result = bench(arguments);
    CHECK(result.status == 1);
    return result.output;
  };
  for (const std::string shape : {"1,2,3", "1,2,3,4,5", "1,2,0,4", "1,2,-3,4", "1,x,3,4", "1;2;3;4", "", "tables"}) {
    CHECK(error("ops --shapes '" + shape + ";1,2,3,4'") ==
          "bench: --shapes: '" + shape.substr(0, shape.find(';')) +
              "' is no shape, expected table or shapes n,c,o,size of positive numbers with ';' between them\n");
  }
  CHECK(error("data --data synthetic --limit 10 --workers 100000") ==
        "bench: workers is 100000, expected at most 1024\n");
  CHECK(error("memory --filter E0 --threads 100000") == "bench: threads is 100000, expected at most 1024\n");
  CHECK(error("memory --filter 'conv2d forward' --shapes 1,10000,3,1000000000") ==
        "bench: shape: [1, 1000000000, 1000000000, 10000] has more elements than fit in memory\n");
  for (const std::string command : {"ops", "step", "data", "memory", "kernels"}) {
    CHECK(error(command + " --filter winnow") == "bench: --filter: no row contains 'winnow'\n");
  }
}

TEST_CASE("bench step times the nets of the experiments") {
  std::set<std::string> measured;
  const std::string step = "step --tiny --batch-size 2 --seconds 0", limit = on_cpu ? "" : " --filter E0";
  for (const auto& record : records_of(step + limit)) {
    INFO(record.dump());
    measured.insert(record.at("op").get<std::string>() + " " + record.at("model").get<std::string>());
    CHECK(record.at("n") == 2);
    CHECK(record.at("median_ms") > 0);
    const int steps = record.at("op") == "train_step_e2" ? 22500 : 30000;  // of an epoch
    CHECK(record.at("extrapolated_epoch_s").get<double>() ==
          Approx(1e-3 * steps * record.at("median_ms").get<double>()));
  }
  std::set<std::string> nets = {"train_step_e0 regular", "train_step_e0 deform-v1", "train_step_e0 deform-v2"};
  if (on_cpu) {
    nets.insert({"train_step_e1 regular", "train_step_e1 deform-v1"});
    nets.insert({"train_step_e2 regular", "train_step_e2 deform-v1", "train_step_e2 deform-v2"});
    nets.insert({"train_step_e3 regular", "train_step_e3 deform-v1"});
  }
  CHECK(measured == nets);
  CHECK(records_of(step + " --filter 'E0 deform'").size() == 2);
}

TEST_CASE("bench data times a loader with every augmentation") {
  std::set<std::string> measured;
  for (const auto& record :
       records_of("data --tiny --seconds 0 --data synthetic --limit 70 --batch-size 32 --workers 2")) {
    INFO(record.dump());
    measured.insert(record.at("pass"));
    CHECK(record.at("op") == "loader");
    CHECK(record.at("images") == 70);
    CHECK(record.at("n") == 32);
    CHECK(record.at("workers") == 2);
    CHECK(record.at("synthetic") == true);
    CHECK(record.at("images_per_s").get<double>() == Approx(70e3 / record.at("median_ms").get<double>()));
  }
  CHECK(measured == std::set<std::string>{"plain", "scale", "expand"});
}

TEST_CASE("bench memory counts what a step takes, and finds that a steady one asks the system for nothing") {
  const std::string limit = on_cpu ? "" : " --filter conv2d";
  const nlohmann::json records = records_of("memory --tiny --threads 1 --shapes 4,16,8,20 --batch-size 2" + limit);
  REQUIRE(records.size() == (on_cpu ? 14 : 3));
  for (const auto& record : records) {
    INFO(record.dump());
    CHECK(record.at("peak_bytes") > 0);
    if (!deft::allocator_passes_through()) {
      CHECK(record.at("held_bytes") >= record.at("peak_bytes"));
      CHECK(record.at("system_allocations") == 0);
    }
    if (record.at("pass") == "step") continue;
    // Images, offsets and mask of a pixel, and the gradients of all; then the parameters'.
    const std::string op = record.at("op");
    const int floats = 16 + 8 + (op.rfind("deform", 0) != 0 ? 0 : op == "deform_conv2d_v1" ? 18 : 27);
    CHECK(record.at("peak_bytes") >= 2 * 4 * (4 * 20 * 20 * floats + 8 * 9 * 16 + 8));
  }
}

TEST_CASE("bench memory finds the process grown by about what a step takes") {
  if (!on_cpu) return;  // a process does not grow by the memory of a GPU
  for (const auto& record : records_of("memory --tiny --threads 1 --shapes 32,32,32,32 --filter conv2d")) {
    INFO(record.dump());
    const std::int64_t peak = record.at("peak_bytes"), resident = record.at("peak_resident_bytes");
    CHECK(2 * resident >= peak);  // what the step on one image had may serve again
    if (!deft::allocator_passes_through()) CHECK(resident <= record.at("held_bytes").get<std::int64_t>() + (16 << 20));
  }
}

TEST_CASE("bench memory compares with the ordinary convolution, if that is measured") {
  const auto cells = [](const std::string& filter) {  // of the last row: its two comparisons
    const ProgramResult result =
        bench("memory --tiny --threads 1 --shapes 4,16,8,20 --filter '" + filter + "' --device " + device_name);
    INFO(result.output);
    CHECK(result.status == 0);
    std::istringstream row(result.output.substr(result.output.rfind("\n| ")));
    std::vector<std::string> all;
    for (std::string cell; std::getline(row, cell, '|');) {
      const std::size_t first = cell.find_first_not_of(' '), last = cell.find_last_not_of(' ');
      all.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
    }
    REQUIRE(all.size() >= 7);
    return std::pair(all[3], all[6]);
  };
  CHECK(cells("deform_conv2d_v2") == std::pair<std::string, std::string>("–", "–"));
  if (!on_cpu) return;  // there the deformable kernels, fused, may need less than the ordinary convolution's panels
  CHECK(cells("E0 deform-v2") == std::pair<std::string, std::string>("–", "–"));
  CHECK(cells("conv2d forward").first == "1.00");
  CHECK(std::stod(cells("conv2d").first) > 1);
}
