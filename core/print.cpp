// to_string of tensors.
#include <fmt/format.h>

#include <vector>

#include "deft/core/tensor.h"

namespace deft {
namespace {

constexpr std::int64_t edge = 3;  // elements shown at either end of a long axis

template <class T>
std::string element(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return fmt::format("{:.5g}", value);
  } else {
    return fmt::format("{}", value);
  }
}

template <class T>
void append(std::string& text, const std::vector<T>& values, const Shape& shape, int axis, std::int64_t offset) {
  if (axis == shape.dim()) {
    text += element(values[static_cast<std::size_t>(offset)]);
    return;
  }
  std::int64_t stride = 1;
  for (int inner = axis + 1; inner < shape.dim(); ++inner) stride *= shape[inner];
  const bool last = axis + 1 == shape.dim();
  const std::string separator = last ? ", " : ",\n" + std::string(static_cast<std::size_t>(axis) + 1, ' ');
  text += '[';
  for (std::int64_t i = 0; i < shape[axis]; ++i) {
    if (i > 0) text += separator;
    if (shape[axis] > 2 * edge + 1 && i == edge) {
      text += "…";
      i = shape[axis] - edge - 1;
      continue;
    }
    append(text, values, shape, axis + 1, offset + i * stride);
  }
  text += ']';
}

}  // namespace

std::string to_string(const Tensor& tensor) {
  if (!tensor.defined()) return "undefined tensor";
  std::string text;
  visit_dtype(tensor.dtype(), [&]<class T>() { append(text, tensor.to_vector<T>(), tensor.shape(), 0, 0); });
  return fmt::format("{} {} {}", text, to_string(tensor.dtype()), to_string(tensor.shape()));
}

}  // namespace deft
