#include "deft/data/mnist.h"

#include <fmt/format.h>

#include <optional>

#include "deft/data/input_file.h"
#include "deft/kernels/error.h"

namespace deft {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t side = 28;
constexpr const char* suffixes[] = {"-idx", ".idx"};

// "train" and "images", 3 → FOLDER/train-images-idx3-ubyte or one of its variants.
std::optional<fs::path> find_file(const fs::path& folder, const std::string& stem, int dim) {
  for (const char* suffix : suffixes) {
    for (const char* compression : {"", ".gz"}) {
      fs::path path = folder / fmt::format("{}{}{}-ubyte{}", stem, suffix, dim, compression);
      std::error_code error;
      if (fs::exists(path, error)) return path;
    }
  }
  return std::nullopt;
}

fs::path require_file(const fs::path& folder, const std::string& stem, int dim) {
  if (const auto path = find_file(folder, stem, dim)) return *path;
  throw Error(fmt::format("mnist: {} has no {}-idx{}-ubyte, neither plain nor .gz", folder.string(), stem, dim));
}

}  // namespace

Tensor read_idx(const fs::path& path, int dim) {
  if (dim < 1 || dim > Shape::max_dim) {
    throw Error(fmt::format("read_idx: dim is {}, expected 1 to {}", dim, int{Shape::max_dim}));
  }
  InputFile file(path);
  unsigned char header[4 + 4 * Shape::max_dim];
  const std::size_t header_size = 4 + 4 * static_cast<std::size_t>(dim);
  file.read(header, 4);
  const std::int64_t magic = from_big_endian(header), expected = 0x800 + dim;
  if (magic != expected) file.fail(fmt::format("magic number is 0x{:08x}, expected 0x{:08x}", magic, expected));
  file.read(header + 4, header_size - 4);
  Shape shape;
  std::uint64_t bytes = header_size;
  std::string promise;
  for (int axis = 0; axis < dim; ++axis) {
    const std::int64_t size = from_big_endian(header + 4 + 4 * axis);
    shape.push_back(size);
    promise += (axis == 0 ? "" : "×") + std::to_string(size);
  }
  // In floating point, as the product of hostile sizes does not fit an integer.
  double count = 1;
  for (const std::int64_t size : shape) count *= static_cast<double>(size);
  if (count > 1e15) file.fail(fmt::format("header promises {} bytes", promise));
  bytes += static_cast<std::uint64_t>(shape.numel());
  file.expect_size(bytes, fmt::format("a header of {} and {}", header_size, promise));
  Tensor values = empty(shape, {.dtype = DType::uint8, .device = Device::cpu()});
  file.read(values.mutable_data<std::uint8_t>(), static_cast<std::size_t>(values.numel()));
  file.expect_end();
  return values;
}

Dataset load_mnist(const fs::path& folder, Part part) {
  const std::string stem = part == Part::train ? "train" : "t10k";
  const fs::path image_path = require_file(folder, stem + "-images", 3);
  const fs::path label_path = require_file(folder, stem + "-labels", 1);
  const Tensor images = read_idx(image_path, 3), bytes = read_idx(label_path, 1);
  const std::int64_t count = images.size(0);
  if (images.size(1) != side || images.size(2) != side) {
    throw Error(
        fmt::format("{}: images are {}×{}, expected 28×28", image_path.string(), images.size(1), images.size(2)));
  }
  if (count == 0) throw Error(fmt::format("{}: holds 0 images", image_path.string()));
  if (bytes.size(0) != count) {
    throw Error(fmt::format("{}: holds {} labels, expected {} as {} holds images", label_path.string(), bytes.size(0),
                            count, image_path.filename().string()));
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const int label = bytes.data<std::uint8_t>()[i];
    if (label > 9) throw Error(fmt::format("{}: label {} is {}, expected 0 to 9", label_path.string(), i, label));
  }
  Dataset dataset{.name = "MNIST", .source = folder.string()};
  dataset.images = alias(images, {count, side, side, 1});
  dataset.labels = bytes.to(DType::int64);
  for (int digit = 0; digit < 10; ++digit) dataset.class_names.push_back(std::to_string(digit));
  return dataset;
}

bool holds_mnist(const fs::path& folder) {
  for (const char* part : {"train", "t10k"}) {
    if (find_file(folder, part + std::string("-images"), 3) || find_file(folder, part + std::string("-labels"), 1)) {
      return true;
    }
  }
  return false;
}

}  // namespace deft
