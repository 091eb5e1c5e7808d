// CIFAR-100's binary version: whole and damaged.
#include "deft/data/cifar100.h"

#include <filesystem>

#include "deft/data/cifar10.h"
#include "deft/data/locate.h"
#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "data/files.h"
#include "temporary_directory.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

// Two labels, then planes that begin with 100, 150 and 200.
Bytes record(std::uint8_t coarse, std::uint8_t fine) {
  Bytes bytes = {coarse, fine};
  for (const int plane : {100, 150, 200}) {
    for (int pixel = 0; pixel < 1024; ++pixel) bytes.push_back(static_cast<std::uint8_t>(plane + pixel % 50));
  }
  return bytes;
}

// A file of this many records that begins with these bytes; the rest takes no room on the disk.
void write_records(const std::string& path, const Bytes& start, std::size_t records) {
  write_bytes(path, start);
  std::filesystem::resize_file(path, records * 3074);
}

// "fine 0", "fine 1", …, a line each.
void write_names(const std::string& path, const std::string& kind, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += kind + " " + std::to_string(i) + "\n";
  write_bytes(path, Bytes(text.begin(), text.end()) + Bytes{'\n'});
}

void write_cifar100(const TemporaryDirectory& folder) {
  write_records(folder.path("train.bin"), record(11, 19) + record(15, 99), 50000);
  write_records(folder.path("test.bin"), record(10, 49), 10000);
  write_names(folder.path("fine_label_names.txt"), "fine", 100);
  write_names(folder.path("coarse_label_names.txt"), "coarse", 20);
}

std::vector<std::int64_t> first_labels(const Dataset& dataset) {
  return alias(dataset.labels, {3}).to_vector<std::int64_t>();
}

}  // namespace

TEST_CASE("CIFAR-100 has a hundred classes in twenty superclasses") {
  const TemporaryDirectory folder;
  write_cifar100(folder);
  const Dataset train = load_cifar100(folder.root(), Part::train);
  CHECK(train.name == "CIFAR-100");
  CHECK(train.images.shape() == Shape{50000, 32, 32, 3});
  const std::uint8_t* second_image = train.images.data<std::uint8_t>() + 3072;
  CHECK(Bytes(second_image + 3 * 33, second_image + 3 * 34) == Bytes{133, 183, 233});
  CHECK(first_labels(train) == std::vector<std::int64_t>{19, 99, 0});
  CHECK(train.class_names.size() == 100);
  CHECK(train.class_names.at(19) == "fine 19");
  const Dataset coarse = load_cifar100(folder.root(), Part::train, {.coarse = true});
  CHECK(first_labels(coarse) == std::vector<std::int64_t>{11, 15, 0});
  CHECK(coarse.class_names.size() == 20);
  CHECK(coarse.class_names.at(11) == "coarse 11");
  const Dataset test = load_data("cifar100", Part::test, folder.root().string());
  CHECK(test.size() == 10000);
  CHECK(first_labels(test) == std::vector<std::int64_t>{49, 0, 0});
  CHECK_THROWS_WITH(load_data("cifar10", Part::test, folder.root().string()),
                    EndsWith("(" + folder.root().string() + "), but CIFAR-100 in " + folder.root().string()));
}

TEST_CASE("damaged CIFAR-100 files are named with what was found") {
  const TemporaryDirectory folder;
  const auto error = [&] { load_cifar100(folder.root(), Part::test); };
  CHECK_THROWS_WITH(error(), "cifar100: " + folder.root().string() + " has no test.bin");
  write_records(folder.path("test.bin"), {}, 9999);
  CHECK_THROWS_WITH(error(), EndsWith(" has no fine_label_names.txt"));
  write_names(folder.path("fine_label_names.txt"), "fine", 99);
  CHECK_THROWS_WITH(error(), EndsWith("fine_label_names.txt: holds 99 class names, expected 100"));
  write_names(folder.path("fine_label_names.txt"), "fine", 100);
  CHECK_THROWS_WITH(error(), EndsWith("test.bin: is 30736926 bytes long, expected 30740000 (10000 records of 3074)"));
  write_records(folder.path("test.bin"), record(19, 99) + record(20, 0), 10000);
  CHECK_THROWS_WITH(error(), EndsWith("test.bin: label of record 1 is 20, expected 0 to 19"));
  write_records(folder.path("test.bin"), record(19, 99) + record(19, 100), 10000);
  CHECK_THROWS_WITH(error(), EndsWith("test.bin: label of record 1 is 100, expected 0 to 99"));
}

TEST_CASE("an unconverted CIFAR-100 says what to do") {
  const auto error_with = [](const std::string& name) {
    const TemporaryDirectory folder;
    write_bytes(folder.path(name), {});
    try {
      load_data("cifar100", Part::train, folder.root().string());
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(error_with("cifar-100-binary.tar.gz"), Contains("cifar-100-binary.tar.gz") && Contains("tar -xzf"));
  for (const char* name : {"cifar-100-python.tar.gz", "cifar-100-python/train", "test"}) {
    CHECK_THAT(error_with(name), Contains(name) && Contains("Python pickles") && Contains("download_data.sh cifar100"));
  }
}
