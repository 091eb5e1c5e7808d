#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "deft/kernels/cpu/eigen.h"

#include "cublas_v2.h"
#include "message.h"
#include "stream.h"

using namespace cuda_emulator;

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;
using std::int64_t;

struct Handle {
  cudaStream_t stream = nullptr;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
};

std::map<cublasHandle_t, Handle>& handles() {
  static auto* all = new std::map<cublasHandle_t, Handle>;
  return *all;
}

Handle& find(cublasHandle_t handle, const char* call) {
  const auto found = handles().find(handle);
  if (found == handles().end()) fail(std::string(call) + ": the handle was destroyed or never made");
  return found->second;
}

// A column-major matrix as BLAS describes it.
template <class T>
struct Matrix {
  T* data;
  int64_t rows, columns, leading;

  auto map() const {
    using Dense = Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic>;
    using Mapped = std::conditional_t<std::is_const_v<T>, const Dense, Dense>;
    return Eigen::Map<Mapped, 0, Eigen::OuterStride<>>(data, rows, columns, Eigen::OuterStride<>(leading));
  }
  Matrix at(int64_t offset) const { return {data + offset, rows, columns, leading}; }
  std::size_t bytes() const {
    return rows == 0 || columns == 0 ? 0 : static_cast<std::size_t>((columns - 1) * leading + rows) * sizeof(T);
  }
};

template <class T>
void check_inside(const char* call, const char* name, const Device& device, const Matrix<T>& matrix) {
  if (matrix.bytes() == 0) return;
  const std::string outside = device.memory.outside(matrix.data, matrix.bytes());
  if (!outside.empty()) fail(std::string(call) + ": " + name + " is " + outside);
}

template <class T>
struct Product {
  cublasOperation_t transa, transb;
  T alpha, beta;
  Matrix<const T> a, b;
  Matrix<T> c;
  bool tf32;

  // C is not read where beta is zero, nor A and B where alpha is.
  void run() const {
    auto result = c.map();
    if (beta == T{0}) {
      result.setZero();
    } else {
      result *= beta;
    }
    if (alpha == T{0} || a.rows == 0 || a.columns == 0) return;
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> left = operand(a, transa), right = operand(b, transb);
    result.noalias() += alpha * (left * right);
  }

  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> operand(const Matrix<const T>& matrix, cublasOperation_t op) const {
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> dense = matrix.map();
    if (op != CUBLAS_OP_N) dense.transposeInPlace();
    if constexpr (std::is_same_v<T, float>) {
      if (tf32) dense = dense.unaryExpr([](float value) { return round_to_tf32(value); });
    }
    return dense;
  }
};

template <class T>
bool is_valid(const Product<T>& p, const T* alpha, const T* beta) {
  const auto operation = [](cublasOperation_t op) { return op >= CUBLAS_OP_N && op <= CUBLAS_OP_C; };
  const auto shape = [](const auto& matrix) {
    return matrix.rows >= 0 && matrix.columns >= 0 && matrix.leading >= std::max<int64_t>(1, matrix.rows);
  };
  return alpha != nullptr && beta != nullptr && operation(p.transa) && operation(p.transb) && shape(p.a) &&
         shape(p.b) && shape(p.c);
}

template <class T>
Product<T> product(cublasOperation_t transa, cublasOperation_t transb, int64_t m, int64_t n, int64_t k, const T* alpha,
                   const T* a, int64_t lda, const T* b, int64_t ldb, const T* beta, T* c, int64_t ldc,
                   const Handle& h) {
  const bool ta = transa != CUBLAS_OP_N, tb = transb != CUBLAS_OP_N;
  return {transa,
          transb,
          alpha == nullptr ? T{} : *alpha,
          beta == nullptr ? T{} : *beta,
          {a, ta ? k : m, ta ? m : k, lda},
          {b, tb ? n : k, tb ? k : n, ldb},
          {c, m, n, ldc},
          h.math == CUBLAS_TF32_TENSOR_OP_MATH};
}

// The stream to which a handle gives work; it must be one of the device that is current.
std::shared_ptr<Stream> stream_of(const Handle& handle, const char* call) {
  const auto stream = find_stream(handle.stream, call);
  if (stream->device->index != current_device_index()) {
    fail(std::string(call) + ": the handle's stream is on device " + std::to_string(stream->device->index) +
         ", the current device is " + std::to_string(current_device_index()));
  }
  return stream;
}

template <class T>
cublasStatus_t gemm_strided(const char* call, cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb,
                            int64_t m, int64_t n, int64_t k, const T* alpha, const T* a, int64_t lda, int64_t stride_a,
                            const T* b, int64_t ldb, int64_t stride_b, const T* beta, T* c, int64_t ldc,
                            int64_t stride_c, int64_t count) {
  const Lock lock(mutex());
  const Handle& h = find(handle, call);
  const auto first = product(transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, h);
  if (!is_valid(first, alpha, beta) || count < 0) return CUBLAS_STATUS_INVALID_VALUE;
  if (m == 0 || n == 0 || count == 0) return CUBLAS_STATUS_SUCCESS;
  const auto stream = stream_of(h, call);
  for (const int64_t i : {int64_t{0}, count - 1}) {
    if (*alpha != T{0}) check_inside(call, "A", *stream->device, first.a.at(i * stride_a));
    if (*alpha != T{0}) check_inside(call, "B", *stream->device, first.b.at(i * stride_b));
    check_inside(call, "C", *stream->device, first.c.at(i * stride_c));
  }
  give(stream, [=, device = stream->device] {
    for (int64_t i = 0; i < count; ++i) {
      Product<T> each = first;
      each.a = first.a.at(i * stride_a);
      each.b = first.b.at(i * stride_b);
      each.c = first.c.at(i * stride_c);
      each.run();
      device->memory.touch(each.c.data);
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}

// The arrays of pointers are the device's, so what they hold is known only when the stream comes to it.
template <class T>
cublasStatus_t gemm_batched(const char* call, cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb,
                            int64_t m, int64_t n, int64_t k, const T* alpha, const T* const a[], int64_t lda,
                            const T* const b[], int64_t ldb, const T* beta, T* const c[], int64_t ldc, int64_t count) {
  const Lock lock(mutex());
  const Handle& h = find(handle, call);
  const auto shapes = product<T>(transa, transb, m, n, k, alpha, nullptr, lda, nullptr, ldb, beta, nullptr, ldc, h);
  if (!is_valid(shapes, alpha, beta) || count < 0) return CUBLAS_STATUS_INVALID_VALUE;
  if (m == 0 || n == 0 || count == 0) return CUBLAS_STATUS_SUCCESS;
  const auto stream = stream_of(h, call);
  Device& device = *stream->device;
  check_inside(call, "the array of A", device, Matrix<const T* const>{a, count, 1, count});
  check_inside(call, "the array of B", device, Matrix<const T* const>{b, count, 1, count});
  check_inside(call, "the array of C", device, Matrix<T* const>{c, count, 1, count});
  give(stream, [=, &device] {
    for (int64_t i = 0; i < count; ++i) {
      Product<T> each = shapes;
      each.a.data = a[i];
      each.b.data = b[i];
      each.c.data = c[i];
      check_inside(call, "A", device, each.a);
      check_inside(call, "B", device, each.b);
      check_inside(call, "C", device, each.c);
      each.run();
      device.memory.touch(each.c.data);
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}

// A vector is the row of a matrix whose leading dimension is the increment; negative increments are not supported.
template <class T>
cublasStatus_t gemv(const char* call, cublasHandle_t handle, cublasOperation_t trans, int64_t m, int64_t n,
                    const T* alpha, const T* a, int64_t lda, const T* x, int64_t incx, const T* beta, T* y,
                    int64_t incy) {
  const bool transposed = trans != CUBLAS_OP_N;
  if (m < 0 || n < 0 || lda < std::max<int64_t>(1, m) || incx < 1 || incy < 1) return CUBLAS_STATUS_INVALID_VALUE;
  if (m == 0 || n == 0) return CUBLAS_STATUS_SUCCESS;
  // y^T = x^T op(A)^T: one row, so that both increments are leading dimensions.
  const int64_t rows = transposed ? n : m, inner = transposed ? m : n;
  return gemm_strided<T>(call, handle, CUBLAS_OP_N, transposed ? CUBLAS_OP_N : CUBLAS_OP_T, 1, rows, inner, alpha, x,
                         incx, 0, a, lda, 0, beta, y, incy, 0, 1);
}

}  // namespace

const char* cublasGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
  }
  return "unknown cuBLAS status";
}

const char* cublasGetStatusString(cublasStatus_t status) { return cublasGetStatusName(status); }

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  const Lock lock(mutex());
  static std::uintptr_t next = 0x1000;
  *handle = reinterpret_cast<cublasHandle_t>(next += 16);
  handles()[*handle] = {};
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  const Lock lock(mutex());
  find(handle, "cublasDestroy");
  handles().erase(handle);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  const Lock lock(mutex());
  find_stream(stream, "cublasSetStream");
  find(handle, "cublasSetStream").stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetStream(cublasHandle_t handle, cudaStream_t* stream) {
  const Lock lock(mutex());
  *stream = find(handle, "cublasGetStream").stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, std::size_t bytes) {
  const Lock lock(mutex());
  DeviceMemory& memory = stream_of(find(handle, "cublasSetWorkspace"), "cublasSetWorkspace")->device->memory;
  const std::string outside = memory.outside(workspace, bytes);
  if (!outside.empty()) fail("cublasSetWorkspace: the workspace is " + outside);
  memory.ignore(workspace);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  const Lock lock(mutex());
  find(handle, "cublasSetMathMode").math = mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode) {
  const Lock lock(mutex());
  *mode = find(handle, "cublasGetMathMode").math;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode) {
  const Lock lock(mutex());
  find(handle, "cublasSetPointerMode");
  return mode == CUBLAS_POINTER_MODE_HOST ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasGetPointerMode(cublasHandle_t handle, cublasPointerMode_t* mode) {
  const Lock lock(mutex());
  find(handle, "cublasGetPointerMode");
  *mode = CUBLAS_POINTER_MODE_HOST;
  return CUBLAS_STATUS_SUCCESS;
}

#define DEFT_EMULATED_CUBLAS(T, S, Int, suffix)                                                                        \
  cublasStatus_t cublas##S##gemm##suffix(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb,    \
                                         Int m, Int n, Int k, const T* alpha, const T* a, Int lda, const T* b,         \
                                         Int ldb, const T* beta, T* c, Int ldc) {                                      \
    return gemm_strided<T>("cublas" #S "gemm" #suffix, handle, transa, transb, m, n, k, alpha, a, lda, 0, b, ldb, 0,   \
                           beta, c, ldc, 0, 1);                                                                        \
  }                                                                                                                    \
  cublasStatus_t cublas##S##gemmStridedBatched##suffix(                                                                \
      cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, Int m, Int n, Int k, const T* alpha,  \
      const T* a, Int lda, long long stride_a, const T* b, Int ldb, long long stride_b, const T* beta, T* c, Int ldc,  \
      long long stride_c, Int count) {                                                                                 \
    return gemm_strided<T>("cublas" #S "gemmStridedBatched" #suffix, handle, transa, transb, m, n, k, alpha, a, lda,   \
                           stride_a, b, ldb, stride_b, beta, c, ldc, stride_c, count);                                 \
  }                                                                                                                    \
  cublasStatus_t cublas##S##gemmBatched##suffix(                                                                       \
      cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, Int m, Int n, Int k, const T* alpha,  \
      const T* const a[], Int lda, const T* const b[], Int ldb, const T* beta, T* const c[], Int ldc, Int count) {     \
    return gemm_batched<T>("cublas" #S "gemmBatched" #suffix, handle, transa, transb, m, n, k, alpha, a, lda, b, ldb,  \
                           beta, c, ldc, count);                                                                       \
  }                                                                                                                    \
  cublasStatus_t cublas##S##gemv##suffix(cublasHandle_t handle, cublasOperation_t trans, Int m, Int n, const T* alpha, \
                                         const T* a, Int lda, const T* x, Int incx, const T* beta, T* y, Int incy) {   \
    return gemv<T>("cublas" #S "gemv" #suffix, handle, trans, m, n, alpha, a, lda, x, incx, beta, y, incy);            \
  }

DEFT_EMULATED_CUBLAS(float, S, int, )
DEFT_EMULATED_CUBLAS(double, D, int, )
DEFT_EMULATED_CUBLAS(float, S, std::int64_t, _64)
DEFT_EMULATED_CUBLAS(double, D, std::int64_t, _64)
