// The emulator itself: what kernels see, streams, and what it refuses.
#include <cuda_runtime.h>

#include <numeric>
#include <vector>

#include "deft/kernels/cuda/launch.h"

#include "catch.h"

namespace deft::testing {

using kernels::Grid;
using kernels::launch;

// Device memory that is freed at the end of the scope.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t n) : n_(n) { DEFT_CUDA_CHECK(cudaMalloc(&data_, n * sizeof(T))); }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    DEFT_CUDA_CHECK(cudaMemcpy(data_, values.data(), n_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() const { return data_; }
  std::vector<T> values() const {
    std::vector<T> copy(n_);
    DEFT_CUDA_CHECK(cudaMemcpy(copy.data(), data_, n_ * sizeof(T), cudaMemcpyDeviceToHost));
    return copy;
  }

 private:
  std::size_t n_;
  T* data_ = nullptr;
};

__global__ void write_index(std::int64_t* output, std::int64_t n) {
  for (std::int64_t i = kernels::first_index(); i < n; i += kernels::index_step()) output[i] = i;
}

TEST_CASE("a kernel runs once per thread") {
  std::vector<std::int64_t> expected(10000);
  std::iota(expected.begin(), expected.end(), 0);
  const DeviceArray<std::int64_t> output(expected.size());
  launch(write_index, Grid(8), 256, 0, nullptr, output.data(), 10000);
  CHECK(output.values() == expected);
}

__global__ void reverse_block(const int* input, int* output) {
  DEFT_SHARED(int, values, 256);
  values[threadIdx.x] = input[kernels::first_index()];
  __syncthreads();
  output[kernels::first_index()] = values[blockDim.x - 1 - threadIdx.x];
}

TEST_CASE("barriers wait for all threads of the block") {
  std::vector<int> input(512);
  std::iota(input.begin(), input.end(), 0);
  const DeviceArray<int> from(input), to(input.size());
  launch(reverse_block, Grid(2), 256, 0, nullptr, from.data(), to.data());
  const std::vector<int> output = to.values();
  for (int i = 0; i < 512; ++i) CHECK(output[static_cast<std::size_t>(i)] == i / 256 * 256 + 255 - i % 256);
}

template <class T>
__global__ void sum_warps(const T* input, T* output) {
  T value = input[kernels::first_index()];
  for (unsigned delta = 16; delta > 0; delta /= 2) value += __shfl_down_sync(0xffffffffu, value, delta);
  if (threadIdx.x % 32 == 0) output[kernels::first_index() / 32] = value;
}

TEMPLATE_TEST_CASE("shuffles pass values down", "", int, std::int64_t, float, double) {
  std::vector<TestType> input(128, TestType(1));
  input[40] = TestType(5);
  const DeviceArray<TestType> from(input), to(4);
  launch(sum_warps<TestType>, Grid(2), 64, 0, nullptr, from.data(), to.data());
  CHECK(to.values() == std::vector<TestType>{32, 36, 32, 32});
}

}  // namespace deft::testing
