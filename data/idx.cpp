#include "deft/data/idx.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "deft/data/input_file.h"
#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

// The type of the values, by the third byte of the magic number.
constexpr std::int64_t bytes_code = 0x08, integers_code = 0x0c;

}  // namespace

Tensor read_idx(const std::filesystem::path& path, int dim, DType values) {
  if (dim < 1 || dim > Shape::max_dim) {
    throw Error(fmt::format("read_idx: dim is {}, expected 1 to {}", dim, int{Shape::max_dim}));
  }
  if (values != DType::uint8 && values != DType::int64) {
    throw Error(fmt::format("read_idx: values is {}, expected uint8 or int64", to_string(values)));
  }
  const bool integers = values == DType::int64;
  InputFile file(path);
  unsigned char header[4 + 4 * Shape::max_dim];
  const std::size_t header_size = 4 + 4 * static_cast<std::size_t>(dim);
  file.read(header, 4);
  const std::int64_t magic = from_big_endian(header), expected = (integers ? integers_code : bytes_code) * 256 + dim;
  if (magic != expected) file.fail(fmt::format("magic number is 0x{:08x}, expected 0x{:08x}", magic, expected));
  file.read(header + 4, header_size - 4);
  Shape shape;
  std::string promise;
  for (int axis = 0; axis < dim; ++axis) {
    const std::int64_t size = from_big_endian(header + 4 + 4 * axis);
    shape.push_back(size);
    promise += (axis == 0 ? "" : "×") + std::to_string(size);
  }
  if (integers) promise += "×4";
  // In floating point, as the product of hostile sizes does not fit an integer.
  double count = 1;
  for (const std::int64_t size : shape) count *= static_cast<double>(size);
  if (count > 1e15) file.fail(fmt::format("header promises {} bytes", promise));
  const std::size_t bytes = static_cast<std::size_t>(shape.numel()) * (integers ? 4 : 1);
  file.expect_size(header_size + bytes, fmt::format("a header of {} and {}", header_size, promise));
  Tensor result = empty(shape, {.dtype = values, .device = Device::cpu()});
  if (integers) {
    std::vector<unsigned char> stored(bytes);
    file.read(stored.data(), bytes);
    std::int64_t* const to = result.mutable_data<std::int64_t>();
    for (std::size_t i = 0; i < bytes / 4; ++i) to[i] = static_cast<std::int32_t>(from_big_endian(&stored[4 * i]));
  } else {
    file.read(result.mutable_data<std::uint8_t>(), bytes);
  }
  file.expect_end();
  return result;
}

}  // namespace deft
