// The device that a test program runs on, and memory there for the tests of kernels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/dispatch.h"
#include "deft/kernels/runtime/memory.h"

namespace deft::testing {

/// What DEFT_TEST_DEVICE names ("cuda"), else the CPU.
inline Device test_device() {
  const char* name = std::getenv("DEFT_TEST_DEVICE");
  return name == nullptr ? Device::cpu() : Device::parse(name);
}

/// Calls `function` with the place whose kernels run on the test device.
template <class Function>
decltype(auto) on_test_device(Function&& function) {
  return on_place(test_device(), std::forward<Function>(function));
}

/// The relative error that a kernel may have on the test device: on the CPU what the test asks for; on a GPU, which adds in
/// other orders, 1e-4 of float32 and 1e-9 of float64.
template <class T>
double tolerance_on_device(double of_cpu) {
  if (test_device().is_cpu()) return of_cpu;
  return sizeof(T) == sizeof(float) ? 1e-4 : 1e-9;
}

/// Elements on a device, for a kernel to read or write.
template <class T>
class Buffer {
 public:
  explicit Buffer(const std::vector<T>& values, Device device = test_device())
      : device_(device), size_(values.size()), data_(static_cast<T*>(allocate(device, bytes()))) {
    copy_memory(device_, data_, Device::cpu(), values.data(), bytes());
  }
  ~Buffer() { deallocate(device_, data_, bytes()); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }

  /// A copy of the elements as they are now.
  std::vector<T> values() const {
    std::vector<T> copy(size_);
    copy_memory(Device::cpu(), copy.data(), device_, data_, bytes());
    return copy;
  }

 private:
  std::size_t bytes() const { return size_ * sizeof(T); }

  Device device_;
  std::size_t size_;
  T* data_;
};

/// The `n` elements that `kernel(device, output)` writes on the test device, over elements of `before`.
template <class T, class Kernel>
std::vector<T> output_of(std::int64_t n, Kernel&& kernel, T before = T()) {
  Buffer<T> output(std::vector<T>(static_cast<std::size_t>(n), before));
  on_test_device([&](auto place) { kernel(place, output.data()); });
  return output.values();
}

}  // namespace deft::testing
