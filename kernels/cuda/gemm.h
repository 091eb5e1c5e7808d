// Row-major matrix products by cuBLAS.
#pragma once

#include <climits>
#include <initializer_list>
#include <string>
#include <type_traits>

#include "deft/kernels/copy.h"
#include "deft/kernels/elementwise.h"
#include "deft/kernels/runtime/cuda/context.h"

namespace deft::kernels {

/// A row-major matrix in device memory, or a batch of them.
template <class T>
struct GemmMatrix {
  T* data;
  std::int64_t row_stride;        ///< elements from one row to the next, at least the number of columns
  std::int64_t batch_stride = 0;  ///< elements from one matrix of the batch to the next
  bool transposed = false;        ///< of factors: the transpose of what is stored is multiplied
};

/// Products of matrices [m, k] and [k, n], k at least 1.
struct GemmSize {
  std::int64_t m, n, k;
  std::int64_t batch = 1;
};

/// Whether a product is added to what the result holds; if not, that is never read.
enum class Accumulate { no, yes };

/// Throws Error where cuBLAS, whose sizes have 32 bits, cannot take one of these.
inline void require_gemm_sizes(std::initializer_list<std::int64_t> sizes) {
  for (const std::int64_t size : sizes) {
    if (size > INT_MAX) {
      throw Error("matrix product on cuda: sizes and row strides reach at most 2147483647, one is " +
                  std::to_string(size));
    }
  }
}

/// c = a · b, or c += a · b, for each matrix of the batch.
template <class T>
void gemm(Context& context, const GemmSize& size, const GemmMatrix<const T>& a, const GemmMatrix<const T>& b,
          Accumulate accumulate, const GemmMatrix<T>& c) {
  if (size.m == 0 || size.n == 0 || size.batch == 0) return;
  require_gemm_sizes({size.m, size.n, size.k, size.batch, a.row_stride, b.row_stride, c.row_stride});
  const T one = 1, beta = accumulate == Accumulate::yes ? T(1) : T(0);
  const auto operation = [](bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const auto as_int = [](std::int64_t value) { return static_cast<int>(value); };
  const cublasHandle_t handle = cublas(context);
  // cuBLAS stores columns one after another: it sees every matrix transposed, so the factors change places.
  const auto multiply = [&](auto* function) {
    return function(handle, operation(b.transposed), operation(a.transposed), as_int(size.n), as_int(size.m),
                    as_int(size.k), &one, b.data, as_int(b.row_stride), a.data, as_int(a.row_stride), &beta, c.data,
                    as_int(c.row_stride));
  };
  const auto multiply_batch = [&](auto* function) {
    return function(handle, operation(b.transposed), operation(a.transposed), as_int(size.n), as_int(size.m),
                    as_int(size.k), &one, b.data, as_int(b.row_stride), b.batch_stride, a.data, as_int(a.row_stride),
                    a.batch_stride, &beta, c.data, as_int(c.row_stride), c.batch_stride, as_int(size.batch));
  };
  if constexpr (std::is_same_v<T, float>) {
    DEFT_CUBLAS_CHECK(size.batch == 1 ? multiply(cublasSgemm) : multiply_batch(cublasSgemmStridedBatched));
  } else {
    DEFT_CUBLAS_CHECK(size.batch == 1 ? multiply(cublasDgemm) : multiply_batch(cublasDgemmStridedBatched));
  }
}

/// Writes the bias [columns], or zeros where it is null, to each row of output [rows, columns].
template <class T>
void preset_rows(Cuda device, std::int64_t rows, std::int64_t columns, const T* bias, T* output) {
  if (bias == nullptr) return fill(device, rows * columns, T(0), output);
  Strided<1> repeated;
  repeated.add_axis(rows, {0});
  repeated.add_axis(columns, {1});
  copy_strided(device, repeated, bias, output);
}

}  // namespace deft::kernels
