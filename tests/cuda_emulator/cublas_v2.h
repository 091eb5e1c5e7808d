// Stands in for NVIDIA's header of the same name: the part of cuBLAS that deft uses, computed by Eigen when the stream comes
// to it. Arguments are checked as cuBLAS does, matrices that leave their allocation abort with a message.
#pragma once

#include "cuda_runtime.h"

enum cublasStatus_t {
  CUBLAS_STATUS_SUCCESS = 0,
  CUBLAS_STATUS_NOT_INITIALIZED = 1,
  CUBLAS_STATUS_ALLOC_FAILED = 3,
  CUBLAS_STATUS_INVALID_VALUE = 7,
};

enum cublasOperation_t { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1, CUBLAS_OP_C = 2 };
enum cublasPointerMode_t { CUBLAS_POINTER_MODE_HOST = 0, CUBLAS_POINTER_MODE_DEVICE = 1 };
enum cublasMath_t { CUBLAS_DEFAULT_MATH = 0, CUBLAS_PEDANTIC_MATH = 2, CUBLAS_TF32_TENSOR_OP_MATH = 3 };

using cublasHandle_t = struct cublasContext*;

const char* cublasGetStatusName(cublasStatus_t status);
const char* cublasGetStatusString(cublasStatus_t status);

cublasStatus_t cublasCreate(cublasHandle_t* handle);
cublasStatus_t cublasDestroy(cublasHandle_t handle);
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream);
cublasStatus_t cublasGetStream(cublasHandle_t handle, cudaStream_t* stream);
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, std::size_t bytes);
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);
cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode);
/// Only CUBLAS_POINTER_MODE_HOST.
cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode);
cublasStatus_t cublasGetPointerMode(cublasHandle_t handle, cublasPointerMode_t* mode);

// Each function for both kinds of numbers and both widths of sizes.
#define DEFT_EMULATED_CUBLAS(T, S, Int, suffix)                                                                        \
  cublasStatus_t cublas##S##gemm##suffix(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb,    \
                                         Int m, Int n, Int k, const T* alpha, const T* a, Int lda, const T* b,         \
                                         Int ldb, const T* beta, T* c, Int ldc);                                       \
  cublasStatus_t cublas##S##gemmStridedBatched##suffix(                                                                \
      cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, Int m, Int n, Int k, const T* alpha,  \
      const T* a, Int lda, long long stride_a, const T* b, Int ldb, long long stride_b, const T* beta, T* c, Int ldc,  \
      long long stride_c, Int count);                                                                                  \
  cublasStatus_t cublas##S##gemmBatched##suffix(                                                                       \
      cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, Int m, Int n, Int k, const T* alpha,  \
      const T* const a[], Int lda, const T* const b[], Int ldb, const T* beta, T* const c[], Int ldc, Int count);      \
  cublasStatus_t cublas##S##gemv##suffix(cublasHandle_t handle, cublasOperation_t trans, Int m, Int n, const T* alpha, \
                                         const T* a, Int lda, const T* x, Int incx, const T* beta, T* y, Int incy);

DEFT_EMULATED_CUBLAS(float, S, int, )
DEFT_EMULATED_CUBLAS(double, D, int, )
DEFT_EMULATED_CUBLAS(float, S, std::int64_t, _64)
DEFT_EMULATED_CUBLAS(double, D, std::int64_t, _64)

#undef DEFT_EMULATED_CUBLAS
