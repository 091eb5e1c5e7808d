// Traces: the list of operations that ran, from which summaries, drawings and exports are made.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "deft/core/autograd.h"
#include "deft/core/tensor.h"

namespace deft {

/// The number of a tensor by which traces name it, unique in the process.
std::uint64_t tensor_id(const Tensor& tensor);

/// A tensor as a trace sees it. The id is unique in the process; absent inputs have id 0.
struct TracedTensor {
  std::uint64_t id = 0;
  Shape shape;
  DType dtype = DType::float32;
};

/// One operation.
struct TracedOp {
  std::string op;
  std::string module;  ///< path of the module that ran it ("conv2.offset_conv"), empty outside modules
  Attributes attributes;
  std::vector<TracedTensor> inputs, outputs;
  TraceInfo info = {};  ///< no multiply-adds and no sampling where the operation has none
};

struct TraceOptions {
  bool keep_tensors = false;  ///< what operations make lives as long as the trace: features, offsets, masks, …
};

/// While one lives, every operation on this thread is appended to ops(), with or without gradients.
class Trace {
 public:
  explicit Trace(const TraceOptions& options = {});
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// Whether one lives on this thread and is not paused.
  static bool active() { return innermost() != nullptr; }

  const std::vector<TracedOp>& ops() const { return ops_; }
  /// Tensors that entered from outside (images, parameters, constants), by id. They live as long as the trace.
  const std::unordered_map<std::uint64_t, Tensor>& entering() const { return entering_; }
  /// What a TracedTensor of ops() stands for, with the gradient function that it has. Throws Error where the trace does
  /// not have it: what an operation made, without keep_tensors.
  const Tensor& tensor(const TracedTensor& traced) const;

 private:
  friend class TracePause;
  friend void record(const char*, const std::vector<Tensor>&, Attributes, const std::vector<Tensor>&, Backward,
                     const TraceInfo&);
  static Trace* innermost();
  void append(const char* op, const std::vector<Tensor>& inputs, const Attributes& attributes,
              const std::vector<Tensor>& outputs, const TraceInfo& info);

  std::vector<TracedOp> ops_;
  std::unordered_map<std::uint64_t, Tensor> entering_;
  std::unordered_map<std::uint64_t, Tensor> produced_;  // undefined tensors without keep_tensors
  TraceOptions options_;
  Trace* outer_;
};

/// While one lives, traces on this thread do not grow: what backward() computes is no part of the model.
class TracePause {
 public:
  TracePause();
  ~TracePause();
  TracePause(const TracePause&) = delete;
  TracePause& operator=(const TracePause&) = delete;

 private:
  Trace* outer_;
};

/// While one lives, operations on this thread belong to the module `name` inside the current one.
class ModuleScope {
 public:
  explicit ModuleScope(const std::string& name);
  ~ModuleScope();
  ModuleScope(const ModuleScope&) = delete;
  ModuleScope& operator=(const ModuleScope&) = delete;

 private:
  std::shared_ptr<const std::string> outer_;
};

/// Path of the module that is running on this thread ("conv2.offset_conv"); null outside modules.
const std::shared_ptr<const std::string>& current_module_path();

}  // namespace deft
