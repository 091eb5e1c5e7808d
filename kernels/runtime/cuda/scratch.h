// Temporary memory of CUDA kernels.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/device.h"

namespace deft::kernels {

/// `n` uninitialised elements on a GPU, given back at the end of the scope: work already on the stream may still use
/// them, since the memory is handed out again only to later work on the same stream.
template <class T>
class DeviceScratch {
 public:
  DeviceScratch(Cuda device, std::int64_t n)
      : device_(Device::cuda(device.index)),
        bytes_(static_cast<std::size_t>(n) * sizeof(T)),
        data_(static_cast<T*>(allocate(device_, bytes_))) {}
  ~DeviceScratch() { deallocate(device_, data_, bytes_); }
  DeviceScratch(const DeviceScratch&) = delete;
  DeviceScratch& operator=(const DeviceScratch&) = delete;

  T* data() const { return data_; }

 private:
  Device device_;
  std::size_t bytes_;
  T* data_;
};

}  // namespace deft::kernels
