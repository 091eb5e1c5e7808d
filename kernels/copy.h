// Contract of the kernels that move elements: permute, broadcast, slice, concatenate, pick rows. All types.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/device.h"
#include "deft/kernels/strided.h"

namespace deft::kernels {

/// Gathers a permuted, sliced or broadcast input into a dense output of `space`.
template <class T>
void copy_strided(Cpu, const Strided<1>& space, const T* input, T* output);
template <class T>
void copy_strided(Cuda, const Strided<1>& space, const T* input, T* output);

/// Copies `rows` rows of `row_size` elements whose beginnings lie `input_pitch` and `output_pitch` elements apart. A
/// slice, its gradient and each part of a concatenation, on any axis, are such a copy.
template <class T>
void copy_rows(Cpu, std::int64_t rows, std::int64_t row_size, const T* input, std::int64_t input_pitch, T* output,
               std::int64_t output_pitch);
template <class T>
void copy_rows(Cuda, std::int64_t rows, std::int64_t row_size, const T* input, std::int64_t input_pitch, T* output,
               std::int64_t output_pitch);

/// output[i, :] = input[index[i], :] for i in [0, n); the input has `rows` rows. The CPU trusts the index. A GPU gives
/// zeros for rows that do not exist, and the host an Error when it next waits for the GPU.
template <class T>
void index_rows_forward(Cpu, std::int64_t n, std::int64_t row_size, std::int64_t rows, const T* input,
                        const std::int64_t* index, T* output);
template <class T>
void index_rows_forward(Cuda, std::int64_t n, std::int64_t row_size, std::int64_t rows, const T* input,
                        const std::int64_t* index, T* output);

/// grad_input[r, :] = sum of grad_output[i, :] over the i with index[i] = r, added in order of i; `grad_input` has
/// `rows` rows and is overwritten. float32, float64.
template <class T>
void index_rows_backward(Cpu, std::int64_t n, std::int64_t row_size, std::int64_t rows, const T* grad_output,
                         const std::int64_t* index, T* grad_input);
template <class T>
void index_rows_backward(Cuda, std::int64_t n, std::int64_t row_size, std::int64_t rows, const T* grad_output,
                         const std::int64_t* index, T* grad_input);

}  // namespace deft::kernels
