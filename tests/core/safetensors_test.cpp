// Safetensors files, and everything that can be wrong with them.
#include "deft/core/safetensors.h"

#include <cstring>
#include <filesystem>
#include <fstream>

#include "deft/core/file.h"
#include "deft/kernels/error.h"

#include "catch.h"
#include "temporary_directory.h"

using namespace deft;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::string with_header(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + data;
}

std::size_t entries(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("safetensors round-trip every type, scalars, empty tensors and metadata") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("all.safetensors");
  Safetensors contents;
  contents.metadata = {{"model", "net"}, {"quote", "\"ü\n"}};
  contents.tensors = {{"b", from_vector<float>({1, -2.5f}, {2, 1})},
                      {"a", from_vector<double>({1e300, -0.0, 3}, {3})},
                      {"labels", from_vector<std::int64_t>({-1, 1ll << 40})},
                      {"pixels", from_vector<std::uint8_t>({0, 255, 7})},
                      {"scalar", full({}, 5)},
                      {"nothing", zeros({0, 4})}};
  save_safetensors(path, contents);
  const Safetensors loaded = load_safetensors(path);
  CHECK(loaded.metadata == contents.metadata);
  REQUIRE(loaded.tensors.size() == contents.tensors.size());
  CHECK(loaded.at("b").to_vector<float>() == std::vector<float>{1, -2.5f});
  CHECK(loaded.at("b").shape() == Shape{2, 1});
  CHECK(loaded.at("a").to_vector<double>() == std::vector<double>{1e300, -0.0, 3});
  CHECK(loaded.at("labels").to_vector<std::int64_t>() == std::vector<std::int64_t>{-1, 1ll << 40});
  CHECK(loaded.at("pixels").to_vector<std::uint8_t>() == std::vector<std::uint8_t>{0, 255, 7});
  CHECK(loaded.at("scalar").item() == 5);
  CHECK(loaded.at("nothing").shape() == Shape{0, 4});
  CHECK_THROWS_WITH(loaded.at("c"), Contains("'c'"));
  save_safetensors(path, {{}, {{"path", "caf\xe9"}}});  // not UTF-8, as a file's name may be
  CHECK(load_safetensors(path).metadata.at("path") == "caf\xef\xbf\xbd");
  save_safetensors(path, {});
  CHECK(load_safetensors(path).tensors.empty());
}

TEST_CASE("names that the format does not allow are refused before anything is written") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("bad.safetensors");
  CHECK_THROWS_WITH(save_safetensors(path, {{{"w", ones({1})}, {"w", ones({1})}}, {}}), Contains("'w' is used twice"));
  CHECK_THROWS_WITH(save_safetensors(path, {{{"__metadata__", ones({1})}}, {}}), Contains("reserved"));
  CHECK(entries(directory.root()) == 0);
}

TEST_CASE("damaged safetensors files are named with what is wrong") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("damaged.safetensors");
  const auto error_for = [&](const std::string& file) {
    std::ofstream(path, std::ios::binary) << file;
    try {
      load_safetensors(path);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const std::string two = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  CHECK(error_for(with_header(two, std::string(8, 'x'))) == "no error");
  CHECK_THAT(error_for("abc"), Contains(path) && Contains("3 bytes"));
  CHECK_THAT(error_for(std::string(20, '\xff')), Contains(path) && Contains("truncated"));
  CHECK_THAT(error_for(with_header(two, "1234")), Contains("'w'") && Contains("4 bytes"));
  CHECK_THAT(error_for(with_header(two, std::string(9, 'x'))), Contains("end at byte 8 of 9"));
  CHECK_THAT(error_for(with_header("{\"w\":", "")), Contains("not a JSON object"));
  CHECK_THAT(error_for(with_header("[1]", "")), Contains("not a JSON object"));
  CHECK_THAT(error_for(with_header(R"({"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})", "1234")),
             Contains("'w'") && Contains("BF16"));
  CHECK_THAT(error_for(with_header(R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "12345678")),
             Contains("[3]") && Contains("8 bytes") && Contains("expected 12"));
  CHECK_THAT(error_for(with_header(R"({"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}})", "12345678")),
             Contains("[-1]"));
  CHECK_THAT(error_for(with_header(R"({"w":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", "")),
             Contains("more than fit in memory"));
  CHECK_THAT(error_for(with_header(R"({"w":{"shape":[2],"data_offsets":[0,8]}})", "12345678")), Contains("no dtype"));
  CHECK_THAT(
      error_for(with_header(
          R"({"v":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"w":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
          "123")),
      Contains("'w' begins at byte 1, expected 2"));
  CHECK_THAT(error_for(with_header(R"({"w":{"dtype":"U8","shape":[0,9223372036854775808],"data_offsets":[0,0]}})", "")),
             Contains(path) && Contains("9223372036854775808"));
  CHECK_THAT(
      error_for(with_header(
          R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
          "1")),
      Contains("'w' is used twice"));
  CHECK_THAT(error_for(with_header(R"({"__metadata__":{"a":1}})", "")), Contains("'a' is 1"));
}
