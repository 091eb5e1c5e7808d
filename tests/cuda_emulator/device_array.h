// Device memory for tests of the emulator.
#pragma once

#include <cuda_runtime.h>

#include <vector>

#include "deft/kernels/runtime/cuda/launch.h"

namespace deft::testing {

/// Elements on the current device, copied there and back with calls that wait.
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

/// Elements in pinned memory of the host.
template <class T>
class PinnedArray {
 public:
  explicit PinnedArray(std::size_t n) : n_(n) { DEFT_CUDA_CHECK(cudaMallocHost(&data_, n * sizeof(T))); }
  ~PinnedArray() { cudaFreeHost(data_); }
  PinnedArray(const PinnedArray&) = delete;
  PinnedArray& operator=(const PinnedArray&) = delete;

  T* data() const { return data_; }
  std::size_t bytes() const { return n_ * sizeof(T); }
  T& operator[](std::size_t i) const { return data_[i]; }

 private:
  std::size_t n_;
  T* data_ = nullptr;
};

}  // namespace deft::testing
