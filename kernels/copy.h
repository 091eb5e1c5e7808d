// Contract of the kernels that move elements: permute, broadcast, slice, concatenate, pick rows. All types.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/contract.h"
#include "deft/kernels/strided.h"

namespace deft::kernels {

/// Gathers a permuted, sliced or broadcast input into a dense output of `space`.
DEFT_CONTRACT((class T), void, copy_strided, const Strided<1>& space, const T* input, T* output);

/// Copies `rows` rows of `row_size` elements whose beginnings lie `input_pitch` and `output_pitch` elements apart. A
/// slice, its gradient and each part of a concatenation, on any axis, are such a copy.
DEFT_CONTRACT((class T), void, copy_rows, std::int64_t rows, std::int64_t row_size, const T* input,
              std::int64_t input_pitch, T* output, std::int64_t output_pitch);

/// output[i, :] = input[index[i], :] for i in [0, n); the input has `rows` rows. The CPU trusts the index. A GPU gives
/// zeros for rows that do not exist, and the host an Error when it next waits for the GPU.
DEFT_CONTRACT((class T), void, index_rows_forward, std::int64_t n, std::int64_t row_size, std::int64_t rows,
              const T* input, const std::int64_t* index, T* output);

/// grad_input[r, :] = sum of grad_output[i, :] over the i with index[i] = r, added in order of i; `grad_input` has
/// `rows` rows and is overwritten. float32, float64.
DEFT_CONTRACT((class T), void, index_rows_backward, std::int64_t n, std::int64_t row_size, std::int64_t rows,
              const T* grad_output, const std::int64_t* index, T* grad_input);

}  // namespace deft::kernels
