#include "deft/data/dataset.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cmath>

#include "deft/core/checks.h"
#include "deft/core/random.h"
#include "deft/data/detail/rows.h"
#include "deft/data/random.h"
#include "deft/kernels/runtime/error.h"

namespace deft {

Dataset Dataset::to(Device device) const {
  Dataset result = *this;
  result.images = images.to(device);
  result.labels = labels.to(device);
  return result;
}

const char* to_string(Part part) { return part == Part::train ? "train" : "test"; }

void check_dataset(const Dataset& dataset) {
  const auto fail = [&](const std::string& what) { throw Error(fmt::format("dataset {}: {}", dataset.name, what)); };
  const Tensor &images = dataset.images, &labels = dataset.labels;
  if (images.dtype() != DType::uint8 || images.dim() != 4) {
    fail(fmt::format("images are {} {}, expected uint8 [N, H, W, C]", to_string(images.dtype()),
                     to_string(images.shape())));
  }
  if (labels.dtype() != DType::int64 || labels.shape() != Shape{images.size(0)} || labels.device() != images.device()) {
    fail(fmt::format("labels are {} {} on {}, expected int64 [{}] on {}", to_string(labels.dtype()),
                     to_string(labels.shape()), to_string(labels.device()), images.size(0),
                     to_string(images.device())));
  }
  const std::vector<std::int64_t> label = labels.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < label.size(); ++i) {
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
  Dataset result = dataset;
  result.images = gather_rows("subset", dataset.images, indices);
  result.labels = gather_rows("subset", dataset.labels, indices);
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
