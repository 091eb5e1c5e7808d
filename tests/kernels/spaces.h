// Naive walks over shapes, against which the kernels on Strided spaces are tested.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "deft/kernels/runtime/philox.h"
#include "deft/kernels/strided.h"

namespace deft::testing {

using Sizes = std::vector<std::int64_t>;

inline std::int64_t product(const Sizes& sizes) {
  std::int64_t n = 1;
  for (std::int64_t size : sizes) n *= size;
  return n;
}

/// Row-major strides of `sizes`, aligned with the last of `rank` axes; 0 where the size is 1 or the axis is missing.
inline Sizes broadcast_strides(const Sizes& sizes, std::size_t rank) {
  Sizes strides(rank, 0);
  std::int64_t step = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    if (sizes[i] != 1) strides[rank - sizes.size() + i] = step;
    step *= sizes[i];
  }
  return strides;
}

/// Calls visit(index) for every index of `sizes` in row-major order.
inline void for_each_index(const Sizes& sizes, const std::function<void(const Sizes&)>& visit) {
  Sizes index(sizes.size(), 0);
  for (std::int64_t n = product(sizes); n > 0; --n) {
    visit(index);
    for (std::size_t axis = sizes.size(); axis-- > 0 && ++index[axis] == sizes[axis];) index[axis] = 0;
  }
}

inline std::int64_t dot(const Sizes& index, const Sizes& strides) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < index.size(); ++i) sum += index[i] * strides[i];
  return sum;
}

/// The space of `sizes` with these strides of each operand.
template <int operands>
kernels::Strided<operands> make_space(const Sizes& sizes, const std::vector<Sizes>& strides) {
  kernels::Strided<operands> space;
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    std::int64_t step[operands];
    for (int i = 0; i < operands; ++i) step[i] = strides[static_cast<std::size_t>(i)][axis];
    space.add_axis(sizes[axis], step);
  }
  return space;
}

template <class T>
std::vector<T> random_values(std::int64_t n, std::uint64_t stream, double low = -2, double high = 2) {
  PhiloxSequence sequence(11, stream);
  std::vector<T> values(static_cast<std::size_t>(n));
  for (T& value : values) value = static_cast<T>(sequence.uniform(low, high));
  return values;
}

template <class T>
std::vector<T> zeros_like(const std::vector<T>& values) {
  return std::vector<T>(values.size());
}

}  // namespace deft::testing
