// What a Tensor handle points to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "deft/core/tensor.h"

namespace deft {

struct Node;

/// Memory shared by a tensor and its views. `version` counts the changes in place.
struct Storage {
  Storage(Device device, std::size_t bytes);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  const Device device;
  const std::size_t bytes;
  void* const data;
  std::uint64_t version = 0;
};

/// Hooks of a tensor, shared with the node that produced it, which may outlive the tensor.
using HookList = std::vector<Tensor::Hook>;

struct TensorImpl {
  std::shared_ptr<Storage> storage;
  std::int64_t offset = 0;  // elements
  Shape shape;
  DType dtype = DType::float32;
  std::uint64_t id = 0;  // unique in the process, for traces

  bool requires_grad = false;
  bool retains_grad = false;
  Tensor grad;
  std::shared_ptr<Node> grad_fn;  // null for leaves
  int output_index = 0;           // which output of grad_fn this is
  std::shared_ptr<HookList> hooks;

  void* data() const { return static_cast<char*>(storage->data) + offset * static_cast<std::int64_t>(size_of(dtype)); }
};

/// Whether nothing but this handle would see a change of the tensor's elements.
inline bool owned_alone(const Tensor& tensor) {
  return tensor.shared_impl().use_count() == 1 && tensor.impl()->storage.use_count() == 1;
}

}  // namespace deft
