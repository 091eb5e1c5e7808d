// Safetensors files, and everything that can be wrong with them.
#include "deft/core/safetensors.h"

#include <cstring>
#include <filesystem>
#include <fstream>

#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

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

TEST_CASE("files have the bytes that the reference implementation writes") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("reference.safetensors");
  save_safetensors(path, {});
  CHECK(read_file(path) == std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
  save_safetensors(path, {{{"attn0", zeros({1, 1, 2, 3})}}, {}});
  const std::string header = R"({"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}})";
  CHECK(read_file(path) == with_header(header + std::string(7, ' '), std::string(24, '\0')));
  CHECK(read_file(path).front() == 0x48);
  // From safetensors 0.8 for Python: save() of these, with numpy.
  save_safetensors(path, {{{"b", zeros({3})},
                           {"a", zeros({2}, {.dtype = DType::uint8})},
                           {"c", zeros({1}, {.dtype = DType::int64})},
                           {"d", zeros({1}, {.dtype = DType::float64})},
                           {"aa", zeros({1}, {.dtype = DType::int64})},
                           {"\u00e9", zeros({1}, {.dtype = DType::float64})},
                           {"Z", zeros({0})}},
                          {{"k", "v"}}});
  CHECK(read_file(path) == with_header(R"({"__metadata__":{"k":"v"},)"
                                       R"("aa":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
                                       R"("c":{"dtype":"I64","shape":[1],"data_offsets":[8,16]},)"
                                       R"("d":{"dtype":"F64","shape":[1],"data_offsets":[16,24]},)"
                                       "\"\u00e9\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[24,32]},"
                                       R"("Z":{"dtype":"F32","shape":[0],"data_offsets":[32,32]},)"
                                       R"("b":{"dtype":"F32","shape":[3],"data_offsets":[32,44]},)"
                                       R"("a":{"dtype":"U8","shape":[2],"data_offsets":[44,46]}}       )",
                                       std::string(46, '\0')));
}

TEST_CASE("every tensor begins at a multiple of its elements' size, and keeps its elements") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("aligned.safetensors");
  Safetensors contents;
  const DType types[] = {DType::uint8, DType::float32, DType::int64, DType::float64};
  for (std::int64_t i = 0; i < 24; ++i) {
    const auto first = static_cast<double>(i);
    contents.tensors.emplace_back(std::to_string(i * 7 % 24),
                                  arange(first, first + static_cast<double>(i % 5), 1, {.dtype = types[i % 4]}));
  }
  save_safetensors(path, contents);
  const std::string file = read_file(path);
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  std::size_t at = 8 + static_cast<std::size_t>(length);
  const Safetensors loaded = load_safetensors(path);
  REQUIRE(loaded.tensors.size() == contents.tensors.size());
  for (const auto& [name, tensor] : loaded.tensors) {
    CAPTURE(name);
    CHECK(at % size_of(tensor.dtype()) == 0);
    at += static_cast<std::size_t>(tensor.numel()) * size_of(tensor.dtype());
    CHECK(tensor.dtype() == contents.at(name).dtype());
    CHECK(tensor.to(DType::float64).to_vector<double>() == contents.at(name).to(DType::float64).to_vector<double>());
  }
}

TEST_CASE("headers that the reference implementation reads") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("accepted.safetensors");
  const auto load = [&](const std::string& file) {
    std::ofstream(path, std::ios::binary) << file;
    return load_safetensors(path);
  };
  CHECK(load(with_header("{}\r \t\n", "")).tensors.empty());
  CHECK(load(with_header(R"({"w":{"dtype":"F32","shape":[2,0],"data_offsets":[0,0]}})", "")).at("w").shape() ==
        Shape{2, 0});
  const auto scalar =
      load(with_header(R"({"w":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", std::string(4, '\0')));
  CHECK(scalar.at("w").item() == 0);
  // Any order of the tensors, though it leaves 'w' unaligned.
  const auto unaligned = load(with_header(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},)"
                                          R"("b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                                          std::string("\x07\0\0\x80\x3f", 5)));
  CHECK(unaligned.at("w").item() == 1);
  CHECK(unaligned.at("b").item() == 7);
}

TEST_CASE("names that the format does not allow are refused before anything is written") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("bad.safetensors");
  CHECK_THROWS_WITH(save_safetensors(path, {{{"w", ones({1})}, {"w", ones({1})}}, {}}), Contains("'w' is used twice"));
  CHECK_THROWS_WITH(save_safetensors(path, {{{"__metadata__", ones({1})}}, {}}), Contains("reserved"));
  // Both would be written as "w" and U+FFFD.
  CHECK_THROWS_WITH(save_safetensors(path, {{{"w\xe8", ones({1})}, {"w\xe9", ones({1})}}, {}}),
                    Contains(path) && Contains(R"(the tensor name "w\xe8" is not UTF-8)"));
  CHECK_THROWS_WITH(save_safetensors(path, {{}, {{"k\xe8", "a"}, {"k\xe9", "b"}}}),
                    Contains(R"(the metadata key "k\xe8" is not UTF-8)"));
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
  CHECK_THAT(error_for(std::string(20, '\xff')), Contains(path) && Contains("not a safetensors file"));
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
  CHECK_THAT(error_for(with_header(R"({"__metadata__":{"a":"1"},"__metadata__":{"b":"2"}})", "")),
             Contains("'__metadata__' is used twice"));
  CHECK_THAT(error_for(with_header(R"({"__metadata__":{"a":"1","b":"2","\u0061":"3"}})", "")),
             Contains("'__metadata__' has 'a' twice"));
  CHECK_THAT(error_for(with_header(R"({"v":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                                   R"("w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"dtype":"U8"}})",
                                   "1234")),
             Contains("'w' has 'dtype' twice"));

  // Files that the reference implementation refuses in its tests.
  std::string attack;
  for (int i = 0; i < 10; ++i) {
    attack += i == 0 ? "{\"weight_" : ",\"weight_";
    attack += std::to_string(i);
    attack += R"(":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]})";
  }
  CHECK_THAT(error_for(with_header(attack + "}", std::string(16, '\0'))), Contains("begins at byte 0, expected 16"));
  CHECK_THAT(error_for(with_header(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", std::string(9, '\0'))),
             Contains("end at byte 8 of 9"));
  CHECK_THAT(error_for(with_header(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})", std::string(9, '\0'))),
             Contains("begins at byte 1, expected 0"));
  CHECK_THAT(error_for(with_header(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", std::string(8, '\0'))),
             Contains("data_offsets [8,0]"));
  CHECK_THAT(error_for(std::string("\0\0", 2)), Contains("2 bytes long"));
  CHECK_THAT(error_for(std::string("\x3c\0\0\0\0\0\0\0{", 9)), Contains("60 bytes, 1 are left"));
  CHECK_THAT(error_for(std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10)),
             Contains("100000001 bytes, expected at most 100000000"));
  CHECK_THAT(error_for(std::string("\x01\0\0\0\0\0\0\0\xff", 9)), Contains("not a JSON object"));
  CHECK_THAT(error_for(std::string("\x01\0\0\0\0\0\0\0{", 9)), Contains("not a JSON object"));
  CHECK_THAT(error_for(with_header(R"({"w":{"dtype":"F32","shape":[2,18446744073709551614],"data_offsets":[0,16]}})",
                                   std::string(16, '\0'))),
             Contains("18446744073709551614"));
  CHECK_THAT(error_for(with_header(R"({"w":{"dtype":"F32","shape":[2,9223372036854775807],"data_offsets":[0,16]}})",
                                   std::string(16, '\0'))),
             Contains("more than fit in memory"));
}
