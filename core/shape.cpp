#include "deft/core/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deft/kernels/runtime/error.h"

namespace deft {

Shape::Shape(std::initializer_list<std::int64_t> sizes) {
  for (const std::int64_t size : sizes) push_back(size);
}

Shape::Shape(const std::vector<std::int64_t>& sizes) {
  for (const std::int64_t size : sizes) push_back(size);
}

void Shape::push_back(std::int64_t size) {
  if (size < 0) throw Error(fmt::format("shape: size of axis {} is {}, expected at least 0", dim_, size));
  if (dim_ == max_dim) throw Error(fmt::format("shape: more than {} axes", max_dim));
  sizes_[static_cast<std::size_t>(dim_++)] = size;
}

std::int64_t Shape::numel() const {
  constexpr std::int64_t most = std::int64_t{1} << 60;
  std::int64_t product = 1;
  bool too_large = false;
  for (const std::int64_t size : *this) {
    if (size == 0) return 0;
    too_large = too_large || size > most / product;
    if (!too_large) product *= size;
  }
  if (too_large) throw Error(fmt::format("shape: {} has more elements than fit in memory", to_string(*this)));
  return product;
}

std::int64_t Shape::size(int axis) const { return (*this)[normalized_axis(axis, "size")]; }

int Shape::normalized_axis(int axis, const char* op) const {
  if (dim_ == 0) throw Error(fmt::format("{}: axis is {}, but a scalar has none", op, axis));
  if (axis < -dim_ || axis >= dim_) {
    throw Error(
        fmt::format("{}: axis is {}, expected {} to {} for shape {}", op, axis, -dim_, dim_ - 1, to_string(*this)));
  }
  return axis < 0 ? axis + dim_ : axis;
}

bool operator==(const Shape& a, const Shape& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ", ")); }

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op) {
  const Shape& longer = a.dim() >= b.dim() ? a : b;
  const Shape& shorter = a.dim() >= b.dim() ? b : a;
  Shape result = longer;
  const int skipped = longer.dim() - shorter.dim();
  for (int axis = 0; axis < shorter.dim(); ++axis) {
    const std::int64_t x = longer[skipped + axis], y = shorter[axis];
    if (x != y && x != 1 && y != 1) {
      throw Error(fmt::format("{}: shapes {} and {} do not broadcast", op, to_string(a), to_string(b)));
    }
    result.set(skipped + axis, x == 1 ? y : x);
  }
  return result;
}

}  // namespace deft
