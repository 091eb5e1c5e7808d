#include "deft/data/cifar10.h"

#include <fmt/format.h>

#include <fstream>

#include "deft/data/input_file.h"
#include "deft/kernels/error.h"

namespace deft {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t side = 32, pixels = side * side, channels = 3;
constexpr std::int64_t record_size = 1 + pixels * channels, records = 10000;

std::vector<std::string> file_names(Part part) {
  if (part == Part::test) return {"test_batch.bin"};
  std::vector<std::string> names;
  for (int batch = 1; batch <= 5; ++batch) names.push_back(fmt::format("data_batch_{}.bin", batch));
  return names;
}

bool present(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// Appends the records of one file from sample `at` on.
void read_batch(const fs::path& path, std::int64_t at, Dataset& dataset) {
  InputFile file(path);
  file.expect_size(records * record_size, fmt::format("{} records of {}", records, record_size));
  std::vector<std::uint8_t> record(static_cast<std::size_t>(record_size));
  std::uint8_t* image = dataset.images.mutable_data<std::uint8_t>() + at * pixels * channels;
  std::int64_t* labels = dataset.labels.mutable_data<std::int64_t>() + at;
  for (std::int64_t i = 0; i < records; ++i, image += pixels * channels) {
    file.read(record.data(), record.size());
    if (record[0] > 9) file.fail(fmt::format("label of record {} is {}, expected 0 to 9", i, record[0]));
    labels[i] = record[0];
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::uint8_t* plane = record.data() + 1 + c * pixels;
      for (std::int64_t p = 0; p < pixels; ++p) image[p * channels + c] = plane[p];
    }
  }
  file.expect_end();
}

std::vector<std::string> read_class_names(const fs::path& path) {
  if (!present(path)) return cifar10_classes();
  std::ifstream file(path);
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() != 10) {
    throw Error(fmt::format("{}: holds {} class names, expected 10", path.string(), names.size()));
  }
  return names;
}

}  // namespace

const std::vector<std::string>& cifar10_classes() {
  static const std::vector<std::string> names = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                 "dog",      "frog",       "horse", "ship", "truck"};
  return names;
}

Dataset load_cifar10(const fs::path& folder, Part part) {
  const std::vector<std::string> names = file_names(part);
  for (const std::string& name : names) {
    if (present(folder / name)) continue;
    const std::string instead = unconverted_cifar10(folder);
    throw Error(instead.empty() ? fmt::format("cifar10: {} has no {}", folder.string(), name) : "cifar10: " + instead);
  }
  const std::int64_t count = records * static_cast<std::int64_t>(names.size());
  Dataset dataset{.name = "CIFAR-10", .source = folder.string()};
  dataset.images = empty({count, side, side, channels}, {.dtype = DType::uint8, .device = Device::cpu()});
  dataset.labels = empty({count}, {.dtype = DType::int64, .device = Device::cpu()});
  dataset.class_names = read_class_names(folder / "batches.meta.txt");
  for (std::size_t i = 0; i < names.size(); ++i) {
    read_batch(folder / names[i], static_cast<std::int64_t>(i) * records, dataset);
  }
  return dataset;
}

bool holds_cifar10(const fs::path& folder) {
  for (Part part : {Part::train, Part::test}) {
    for (const std::string& name : file_names(part)) {
      if (present(folder / name)) return true;
    }
  }
  return false;
}

std::string unconverted_cifar10(const fs::path& folder) {
  const char* const fetch = "fetch the binary version with scripts/download_data.sh cifar10";
  const auto found = [&](const char* name, const std::string& remedy) {
    return fmt::format("{} is not the binary version unpacked: {}", (folder / name).string(), remedy);
  };
  if (const char* name = "cifar-10-binary.tar.gz"; present(folder / name)) {
    return found(name, fmt::format("unpack it (tar -xzf {} -C {})", name, folder.string()));
  }
  if (const char* name = "cifar10-jpeg.tar.xz"; present(folder / name)) {
    return found(name, fmt::format("convert its JPEG images to data_batch_1.bin … data_batch_5.bin and test_batch.bin, "
                                   "or {}",
                                   fetch));
  }
  for (const char* name : {"cifar-10-python.tar.gz", "cifar-10-batches-py", "data_batch_1", "test_batch"}) {
    if (present(folder / name)) return found(name, fmt::format("it holds Python pickles; {}", fetch));
  }
  return "";
}

}  // namespace deft
