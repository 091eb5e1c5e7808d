// Rows of images with zeros around them.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/cpu/simd.h"

namespace deft::kernels::DEFT_SIMD {

/// Writes pixels [first, first + count) of a row of `size` pixels of `c` elements; what lies outside becomes zeros. A row
/// outside the image is null.
template <class T>
void copy_padded_row(const T* row, std::int64_t size, std::int64_t c, std::int64_t first, std::int64_t count, T* to) {
  const std::int64_t begin = first < 0 ? -first : 0, end = size - first < count ? size - first : count;
  if (row == nullptr || begin >= end) {
    clear(to, count * c);
    return;
  }
  clear(to, begin * c);
  copy_elements(to + begin * c, row + (first + begin) * c, (end - begin) * c);
  clear(to + end * c, (count - end) * c);
}

}  // namespace deft::kernels::DEFT_SIMD
