#include "deft/data/dataset.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cmath>
#include <cstring>

#include "deft/core/checks.h"
#include "deft/core/random.h"
#include "deft/data/random.h"
#include "deft/kernels/error.h"

namespace deft {

const char* to_string(Part part) { return part == Part::train ? "train" : "test"; }

void check_dataset(const Dataset& dataset) {
  const auto fail = [&](const std::string& what) { throw Error(fmt::format("dataset {}: {}", dataset.name, what)); };
  const Tensor &images = dataset.images, &labels = dataset.labels;
  if (images.dtype() != DType::uint8 || images.dim() != 4 || !images.device().is_cpu()) {
    fail(fmt::format("images are {} {} on {}, expected uint8 [N, H, W, C] on cpu", to_string(images.dtype()),
                     to_string(images.shape()), to_string(images.device())));
  }
  if (labels.dtype() != DType::int64 || labels.shape() != Shape{images.size(0)} || !labels.device().is_cpu()) {
    fail(fmt::format("labels are {} {} on {}, expected int64 [{}] on cpu", to_string(labels.dtype()),
                     to_string(labels.shape()), to_string(labels.device()), images.size(0)));
  }
  const std::int64_t* label = labels.data<std::int64_t>();
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    if (label[i] < 0 || label[i] >= dataset.classes()) {
      fail(fmt::format("label {} is {}, expected 0 to {}", i, label[i], dataset.classes() - 1));
    }
  }
}

std::uint32_t checksum(const Dataset& dataset) {
  const auto add = [](uLong sum, const void* data, std::int64_t bytes) {
    return bytes == 0 ? sum : crc32_z(sum, static_cast<const Bytef*>(data), static_cast<std::size_t>(bytes));
  };
  require_cpu("checksum", {"images", dataset.images});
  require_cpu("checksum", {"labels", dataset.labels});
  const uLong pixels = add(0, dataset.images.data<std::uint8_t>(), dataset.images.numel());
  return static_cast<std::uint32_t>(add(pixels, dataset.labels.data<std::int64_t>(), 8 * dataset.labels.numel()));
}

Dataset subset(const Dataset& dataset, const std::vector<std::int64_t>& indices) {
  require_cpu("subset", {"images", dataset.images});
  require_cpu("subset", {"labels", dataset.labels});
  const auto count = static_cast<std::int64_t>(indices.size());
  const std::int64_t bytes = dataset.height() * dataset.width() * dataset.channels();
  Dataset result = dataset;
  result.images = empty({count, dataset.height(), dataset.width(), dataset.channels()},
                        {.dtype = DType::uint8, .device = Device::cpu()});
  result.labels = empty({count}, {.dtype = DType::int64, .device = Device::cpu()});
  const std::uint8_t* from = dataset.images.data<std::uint8_t>();
  std::uint8_t* to = result.images.mutable_data<std::uint8_t>();
  std::int64_t* labels = result.labels.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = indices[static_cast<std::size_t>(i)];
    if (index < 0 || index >= dataset.size()) {
      throw Error(fmt::format("subset: index {} is {}, expected 0 to {}", i, index, dataset.size() - 1));
    }
    if (bytes > 0) std::memcpy(to + i * bytes, from + index * bytes, static_cast<std::size_t>(bytes));
    labels[i] = dataset.labels.data<std::int64_t>()[index];
  }
  return result;
}

Dataset first_samples(const Dataset& dataset, std::int64_t count) {
  if (count < 0 || count > dataset.size()) {
    throw Error(fmt::format("first_samples: count is {}, expected 0 to {}", count, dataset.size()));
  }
  Dataset result = dataset;
  result.images = alias(dataset.images, {count, dataset.height(), dataset.width(), dataset.channels()});
  result.labels = alias(dataset.labels, {count});
  return result;
}

TrainValidation split_validation(const Dataset& dataset, double fraction, std::uint64_t seed) {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw Error(fmt::format("split_validation: fraction is {}, expected 0 to 1", fraction));
  }
  const std::int64_t size = dataset.size();
  const auto held_out = static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(size)));
  const std::vector<std::int64_t> order = permutation(size, draws(seed, Draw::split));
  std::vector<bool> is_validation(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < held_out; ++i)
    is_validation[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = true;
  std::vector<std::int64_t> train, validation;
  for (std::int64_t i = 0; i < size; ++i)
    (is_validation[static_cast<std::size_t>(i)] ? validation : train).push_back(i);
  return {subset(dataset, train), subset(dataset, validation)};
}

}  // namespace deft
