#include "deft/data/detail/cifar_files.h"

#include <fmt/format.h>

#include <fstream>

#include "deft/data/input_file.h"
#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

constexpr std::int64_t side = 32, pixels = side * side, channels = 3;

// Puts the records of one file from sample `at` on.
void read_records(const CifarFile& from, const CifarLabels& labels, std::int64_t at, Dataset& dataset) {
  const std::size_t label_bytes = labels.classes.size();
  const std::int64_t record_size = static_cast<std::int64_t>(label_bytes) + pixels * channels;
  InputFile file(from.path);
  file.expect_size(static_cast<std::uint64_t>(from.records * record_size),
                   fmt::format("{} records of {}", from.records, record_size));
  std::vector<std::uint8_t> record(static_cast<std::size_t>(record_size));
  std::uint8_t* image = dataset.images.mutable_data<std::uint8_t>() + at * pixels * channels;
  std::int64_t* const to = dataset.labels.mutable_data<std::int64_t>() + at;
  for (std::int64_t i = 0; i < from.records; ++i, image += pixels * channels) {
    file.read(record.data(), record.size());
    for (std::size_t label = 0; label < label_bytes; ++label) {
      const std::int64_t classes = labels.classes[label];
      if (record[label] < classes) continue;
      file.fail(fmt::format("label of record {} is {}, expected 0 to {}", i, record[label], classes - 1));
    }
    to[i] = record[labels.used];
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::uint8_t* plane = record.data() + label_bytes + c * pixels;
      for (std::int64_t p = 0; p < pixels; ++p) image[p * channels + c] = plane[p];
    }
  }
  file.expect_end();
}

}  // namespace

void read_cifar(const std::vector<CifarFile>& files, const CifarLabels& labels, Dataset& dataset) {
  std::int64_t count = 0;
  for (const CifarFile& file : files) count += file.records;
  dataset.images = empty({count, side, side, channels}, {.dtype = DType::uint8, .device = Device::cpu()});
  dataset.labels = empty({count}, {.dtype = DType::int64, .device = Device::cpu()});
  std::int64_t at = 0;
  for (const CifarFile& file : files) {
    read_records(file, labels, at, dataset);
    at += file.records;
  }
}

std::vector<std::string> read_class_names(const std::filesystem::path& path, std::size_t count) {
  std::ifstream file(path);
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() != count) {
    throw Error(fmt::format("{}: holds {} class names, expected {}", path.string(), names.size(), count));
  }
  return names;
}

}  // namespace deft
