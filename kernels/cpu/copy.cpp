#include "deft/kernels/copy.h"

#include <algorithm>

#include "deft/kernels/cpu/strided_loop.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cpu/kernel.h"

namespace deft::kernels {

using namespace DEFT_SIMD;

template <class T>
void copy_strided(Set, const Strided<1>& space, const T* input, T* output) {
  parallel_blocks(space.numel(), block_elements, [&](std::int64_t begin, std::int64_t end) {
    StridedCursor cursor(space, begin);
    gather(cursor, input, end - begin, output + begin);
  });
}

template <class T>
void copy_rows(Set, std::int64_t rows, std::int64_t row_size, const T* input, std::int64_t input_pitch, T* output,
               std::int64_t output_pitch) {
  if (row_size == 0) return;
  parallel_blocks(rows * row_size, block_elements, [&](std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t row = begin / row_size, column = begin % row_size;
      const std::int64_t count = std::min(end - begin, row_size - column);
      std::copy_n(input + row * input_pitch + column, count, output + row * output_pitch + column);
      begin += count;
    }
  });
}

template <class T>
void index_rows_forward(Set, std::int64_t n, std::int64_t row_size, std::int64_t, const T* input,
                        const std::int64_t* index, T* output) {
  const std::int64_t rows_per_block = std::max<std::int64_t>(1, block_elements / std::max<std::int64_t>(1, row_size));
  parallel_blocks(n, rows_per_block, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::copy_n(input + index[i] * row_size, row_size, output + i * row_size);
    }
  });
}

template <class T>
void index_rows_backward(Set, std::int64_t n, std::int64_t row_size, std::int64_t rows, const T* grad_output,
                         const std::int64_t* index, T* grad_input) {
  // Each task owns some columns, so that every sum is taken in order of i.
  constexpr std::int64_t columns = 256;
  parallel_blocks(row_size, columns, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = 0; row < rows; ++row) {
      std::fill(grad_input + row * row_size + begin, grad_input + row * row_size + end, T(0));
    }
    for (std::int64_t i = 0; i < n; ++i) {
      const T* from = grad_output + i * row_size;
      T* to = grad_input + index[i] * row_size;
      for (std::int64_t j = begin; j < end; ++j) to[j] += from[j];
    }
  });
}

#define DEFT_ALL(T)                                                                                   \
  template void copy_strided(Set, const Strided<1>&, const T*, T*);                                   \
  template void copy_rows(Set, std::int64_t, std::int64_t, const T*, std::int64_t, T*, std::int64_t); \
  template void index_rows_forward(Set, std::int64_t, std::int64_t, std::int64_t, const T*, const std::int64_t*, T*);
#define DEFT_FLOATING(T) \
  template void index_rows_backward(Set, std::int64_t, std::int64_t, std::int64_t, const T*, const std::int64_t*, T*);

DEFT_INSTANTIATE_ALL(DEFT_ALL)
DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
