// Nodes of the tape.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "deft/core/autograd.h"
#include "deft/core/detail/tensor_impl.h"

namespace deft {

/// A tensor kept for backward(), with the version its storage had when it was saved. It has no history of its own, so
/// that a node that saves its output makes no cycle.
struct SavedTensor {
  Tensor tensor;
  std::uint64_t version = 0;
};

/// Where a gradient goes next: into output `index` of `node`, or into `leaf`; nowhere if both are null.
struct Edge {
  std::shared_ptr<Node> node;
  int index = 0;
  std::shared_ptr<TensorImpl> leaf;

  explicit operator bool() const { return node || leaf; }
};

/// What a node knows of one of its outputs, which may be gone.
struct NodeOutput {
  Shape shape;
  DType dtype = DType::float32;
  Device device;
  std::weak_ptr<TensorImpl> tensor;  // for retain_grad
  std::shared_ptr<HookList> hooks;   // for register_hook
};

/// One recorded operation.
struct Node {
  const char* op = "";
  std::shared_ptr<const std::string> module;
  std::uint64_t sequence = 0;  // a node's inputs were made before it and have smaller numbers
  std::vector<Edge> edges;     // one per input
  std::vector<NodeOutput> outputs;
  std::vector<SavedTensor> saved;
  std::function<std::vector<Tensor>(const BackwardContext&)> apply;
  bool released = false;

  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();

  /// "conv2d (module conv2.offset_conv)".
  std::string name() const;
  /// Frees what only backward() needs.
  void release();
};

}  // namespace deft
