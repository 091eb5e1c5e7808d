// CIFAR-10's binary version: whole and damaged.
#include "deft/data/cifar10.h"

#include "catch.h"
#include "data/files.h"
#include "temporary_directory.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

constexpr std::size_t file_size = 30730000;  // 10,000 records of 3073 bytes

// A file of the right length that begins with these bytes; the rest takes no room on the disk.
void write_batch(const std::filesystem::path& path, const Bytes& start, std::size_t size = file_size) {
  write_bytes(path, start);
  std::filesystem::resize_file(path, size);
}

Bytes record(std::uint8_t label) {
  Bytes bytes = {label};
  for (const int plane : {100, 150, 200}) {
    for (int pixel = 0; pixel < 1024; ++pixel) bytes.push_back(static_cast<std::uint8_t>(plane + pixel % 50));
  }
  return bytes;
}

}  // namespace

TEST_CASE("CIFAR-10 planes become channels") {
  const TemporaryDirectory folder;
  write_batch(folder.path("test_batch.bin"), record(6) + record(9));
  const Dataset test = load_cifar10(folder.root(), Part::test);
  CHECK(test.images.shape() == Shape{10000, 32, 32, 3});
  const std::uint8_t* second_image = test.images.data<std::uint8_t>() + 3072;
  CHECK(Bytes(second_image + 3 * 33, second_image + 3 * 34) == Bytes{133, 183, 233});
  CHECK(alias(test.labels, {3}).to_vector<std::int64_t>() == std::vector<std::int64_t>{6, 9, 0});
  CHECK(test.class_names.at(9) == "truck");
  CHECK(holds_cifar10(folder.root()));
}

TEST_CASE("CIFAR-10's five training files are read in order") {
  const TemporaryDirectory folder;
  for (std::uint8_t batch = 1; batch <= 5; ++batch) {
    write_batch(folder.path("data_batch_" + std::to_string(batch) + ".bin"), {batch});
  }
  write_bytes(folder.path("batches.meta.txt"), Bytes{'a', '\n', 'b', '\r', '\n', 'c',  '\n', 'd',  '\n', 'e',  '\n',
                                                     'f', '\n', 'g', '\n', 'h',  '\n', 'i',  '\n', 'j',  '\n', '\n'});
  const Dataset train = load_cifar10(folder.root(), Part::train);
  CHECK(train.size() == 50000);
  CHECK(train.labels.data<std::int64_t>()[30000] == 4);
  CHECK(train.class_names.at(1) == "b");
}

TEST_CASE("damaged CIFAR-10 files are named with what was found") {
  const TemporaryDirectory folder;
  const auto error = [&] { load_cifar10(folder.root(), Part::test); };
  CHECK_THROWS_WITH(error(), Contains("cifar10: ") && EndsWith("has no test_batch.bin"));
  write_batch(folder.path("test_batch.bin"), {}, file_size - 3073);
  CHECK_THROWS_WITH(error(),
                    EndsWith("test_batch.bin: is 30726927 bytes long, expected 30730000 (10000 records of 3073)"));
  write_batch(folder.path("test_batch.bin"), {}, file_size + 1);
  CHECK_THROWS_WITH(error(), Contains("is 30730001 bytes long"));
  write_batch(folder.path("test_batch.bin"), record(3) + Bytes{10});
  CHECK_THROWS_WITH(error(), EndsWith("test_batch.bin: label of record 1 is 10, expected 0 to 9"));
  write_batch(folder.path("test_batch.bin"), record(3));
  write_bytes(folder.path("batches.meta.txt"), {'c', 'a', 't'});
  CHECK_THROWS_WITH(error(), EndsWith("batches.meta.txt: holds 1 class names, expected 10"));
}

TEST_CASE("an unconverted CIFAR-10 says what to do") {
  const auto error_with = [](const std::string& name) {
    const TemporaryDirectory folder;
    write_bytes(folder.path(name), {});
    CHECK_FALSE(holds_cifar10(folder.root()));
    try {
      load_cifar10(folder.root(), Part::train);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(error_with("cifar-10-binary.tar.gz"), Contains("(tar -xzf /") && Contains("/cifar-10-binary.tar.gz -C /"));
  CHECK_THAT(error_with("cifar10-jpeg.tar.xz"), Contains("cifar10-jpeg.tar.xz") && Contains("convert its JPEG images"));
  CHECK_THAT(error_with("data_batch_1"), Contains("Python pickles") && Contains("scripts/download_data.sh cifar10"));
}
