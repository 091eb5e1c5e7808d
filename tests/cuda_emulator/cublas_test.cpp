// The emulator's cuBLAS against sums in plain loops.
#include <cublas_v2.h>

#include <cstdint>
#include <vector>

#include "catch.h"
#include "device_array.h"

namespace deft::testing {
namespace {

struct Handle {
  Handle() { REQUIRE(cublasCreate(&handle) == CUBLAS_STATUS_SUCCESS); }
  ~Handle() { cublasDestroy(handle); }
  cublasHandle_t handle = nullptr;
};

template <class T>
constexpr bool is_float = std::is_same_v<T, float>;

// Small whole numbers, so that every sum is exact.
template <class T>
std::vector<T> numbers(std::int64_t n, int seed) {
  std::vector<T> values(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) values[static_cast<std::size_t>(i)] = static_cast<T>((i * 7 + seed) % 11 - 5);
  return values;
}

struct Shape {
  cublasOperation_t transa, transb;
  int m, n, k, lda, ldb, ldc;
};

// Element (row, column) of op(matrix), at `begin`.
template <class T>
T element(const std::vector<T>& matrix, cublasOperation_t op, int row, int column, int leading, std::int64_t begin) {
  const std::int64_t at =
      op == CUBLAS_OP_N ? row + std::int64_t{column} * leading : column + std::int64_t{row} * leading;
  return matrix[static_cast<std::size_t>(begin + at)];
}

template <class T>
void add_product(const Shape& s, T alpha, const std::vector<T>& a, std::int64_t begin_a, const std::vector<T>& b,
                 std::int64_t begin_b, T beta, std::vector<T>& c, std::int64_t begin_c) {
  for (int column = 0; column < s.n; ++column) {
    for (int row = 0; row < s.m; ++row) {
      T sum = 0;
      for (int i = 0; i < s.k; ++i) {
        sum += element(a, s.transa, row, i, s.lda, begin_a) * element(b, s.transb, i, column, s.ldb, begin_b);
      }
      T& out = c[static_cast<std::size_t>(begin_c + row + std::int64_t{column} * s.ldc)];
      out = alpha * sum + (beta == 0 ? T{0} : beta * out);
    }
  }
}

constexpr Shape shapes[] = {
    {CUBLAS_OP_N, CUBLAS_OP_N, 3, 4, 5, 3, 5, 3}, {CUBLAS_OP_T, CUBLAS_OP_N, 3, 4, 5, 7, 6, 4},
    {CUBLAS_OP_N, CUBLAS_OP_T, 3, 4, 5, 4, 5, 3}, {CUBLAS_OP_T, CUBLAS_OP_T, 3, 4, 5, 5, 4, 9},
    {CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, 1, 1, 1}, {CUBLAS_OP_N, CUBLAS_OP_N, 3, 4, 0, 3, 1, 3},
};

}  // namespace

TEMPLATE_TEST_CASE("products follow their definition", "", float, double) {
  using T = TestType;
  const Handle handle;
  constexpr int count = 3, stride = 100;
  for (const Shape& s : shapes) {
    for (const T beta : {T(0), T(2)}) {
      const T alpha = 3;
      const std::vector<T> a = numbers<T>(count * stride, 1), b = numbers<T>(count * stride, 2);
      std::vector<T> c = numbers<T>(count * stride, 3);
      const DeviceArray<T> on_a(a), on_b(b), on_c(c);
      cublasStatus_t status;
      if constexpr (is_float<T>) {
        status =
            cublasSgemmStridedBatched(handle.handle, s.transa, s.transb, s.m, s.n, s.k, &alpha, on_a.data(), s.lda,
                                      stride, on_b.data(), s.ldb, stride, &beta, on_c.data(), s.ldc, stride, count);
      } else {
        status =
            cublasDgemmStridedBatched_64(handle.handle, s.transa, s.transb, s.m, s.n, s.k, &alpha, on_a.data(), s.lda,
                                         stride, on_b.data(), s.ldb, stride, &beta, on_c.data(), s.ldc, stride, count);
      }
      CHECK(status == CUBLAS_STATUS_SUCCESS);
      for (int i = 0; i < count; ++i) add_product(s, alpha, a, i * stride, b, i * stride, beta, c, i * stride);
      CHECK(on_c.values() == c);
    }
  }
}

TEST_CASE("products of single matrices and of pointers to matrices agree") {
  const Handle handle;
  const Shape s = shapes[1];
  const double alpha = 2, beta = 0;
  const std::vector<double> a = numbers<double>(100, 1), b = numbers<double>(100, 2);
  std::vector<double> c(100, std::numeric_limits<double>::quiet_NaN());  // beta is zero: not read
  const DeviceArray<double> on_a(a), on_b(b), one(c), other(c);
  CHECK(cublasDgemm(handle.handle, s.transa, s.transb, s.m, s.n, s.k, &alpha, on_a.data(), s.lda, on_b.data(), s.ldb,
                    &beta, one.data(), s.ldc) == CUBLAS_STATUS_SUCCESS);
  const DeviceArray<const double*> all_a(std::vector<const double*>{on_a.data()}),
      all_b(std::vector<const double*>{on_b.data()});
  const DeviceArray<double*> all_c(std::vector<double*>{other.data()});
  CHECK(cublasDgemmBatched(handle.handle, s.transa, s.transb, s.m, s.n, s.k, &alpha, all_a.data(), s.lda, all_b.data(),
                           s.ldb, &beta, all_c.data(), s.ldc, 1) == CUBLAS_STATUS_SUCCESS);
  add_product(s, alpha, a, 0, b, 0, beta, c, 0);
  for (const std::vector<double>& result : {one.values(), other.values()}) {
    for (int column = 0; column < s.n; ++column) {
      for (int row = 0; row < s.m; ++row) {
        CHECK(element(result, CUBLAS_OP_N, row, column, s.ldc, 0) == element(c, CUBLAS_OP_N, row, column, s.ldc, 0));
      }
    }
  }
}

TEST_CASE("a matrix times a vector") {
  const Handle handle;
  const std::vector<float> a = numbers<float>(5 * 4, 1), x = numbers<float>(12, 2), y = numbers<float>(12, 3);
  const float alpha = 2, beta = 3;
  const DeviceArray<float> on_a(a), on_x(x);
  for (const cublasOperation_t op : {CUBLAS_OP_N, CUBLAS_OP_T}) {
    const int rows = op == CUBLAS_OP_N ? 3 : 4, inner = 7 - rows;
    const DeviceArray<float> on_y(y);
    CHECK(cublasSgemv(handle.handle, op, 3, 4, &alpha, on_a.data(), 5, on_x.data(), 2, &beta, on_y.data(), 3) ==
          CUBLAS_STATUS_SUCCESS);
    std::vector<float> expected = y;
    for (int row = 0; row < rows; ++row) {
      float sum = 0;
      for (int i = 0; i < inner; ++i) sum += element(a, op, row, i, 5, 0) * x[static_cast<std::size_t>(2 * i)];
      float& out = expected[static_cast<std::size_t>(3 * row)];
      out = alpha * sum + beta * out;
    }
    CHECK(on_y.values() == expected);
  }
}

TEST_CASE("TF32 rounds the factors of float32 products where it is allowed") {
  const Handle handle;
  const float alpha = 1, beta = 0, fine = 1.0f + 0x1p-20f;
  const DeviceArray<float> a(std::vector<float>{fine}), b(std::vector<float>{1}), c(1);
  const auto product = [&](cublasMath_t mode) {
    CHECK(cublasSetMathMode(handle.handle, mode) == CUBLAS_STATUS_SUCCESS);
    CHECK(cublasSgemm(handle.handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &alpha, a.data(), 1, b.data(), 1, &beta,
                      c.data(), 1) == CUBLAS_STATUS_SUCCESS);
    return c.values()[0];
  };
  CHECK(product(CUBLAS_PEDANTIC_MATH) == fine);
  CHECK(product(CUBLAS_TF32_TENSOR_OP_MATH) == 1.0f);
}

TEST_CASE("cuBLAS waits for the stream and refuses what it cannot compute") {
  const Handle handle;
  cudaStream_t stream;
  DEFT_CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  CHECK(cublasSetStream(handle.handle, stream) == CUBLAS_STATUS_SUCCESS);
  const float one = 1, zero = 0;
  const DeviceArray<float> a(std::vector<float>{2}), b(std::vector<float>{3}), c(std::vector<float>{-1});
  const auto multiply = [&](int m, int lda, const float* alpha, float* to) {
    return cublasSgemm(handle.handle, CUBLAS_OP_N, CUBLAS_OP_N, m, 1, 1, alpha, a.data(), lda, b.data(), 1, &zero, to,
                       1);
  };
  CHECK(multiply(1, 1, &one, c.data()) == CUBLAS_STATUS_SUCCESS);
  CHECK(c.values()[0] == -1);  // the legacy stream does not wait for this one
  cudaStreamSynchronize(stream);
  CHECK(c.values()[0] == 6);
  CHECK(multiply(-1, 1, &one, c.data()) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(multiply(1, 0, &one, c.data()) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(multiply(2, 1, &one, c.data()) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(multiply(1, 1, nullptr, c.data()) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(multiply(0, 1, &one, nullptr) == CUBLAS_STATUS_SUCCESS);
  CHECK(cublasSetPointerMode(handle.handle, CUBLAS_POINTER_MODE_HOST) == CUBLAS_STATUS_SUCCESS);
  cudaStreamDestroy(stream);
}

}  // namespace deft::testing
