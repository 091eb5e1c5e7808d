#include "deft/core/trace.h"

#include <fmt/format.h>

#include <utility>

#include "deft/core/detail/tensor_impl.h"
#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

thread_local Trace* innermost_trace = nullptr;
thread_local std::shared_ptr<const std::string> module_path;

TracedTensor describe(const Tensor& tensor) {
  if (!tensor.defined()) return {};
  return {.id = tensor.impl()->id, .shape = tensor.shape(), .dtype = tensor.dtype()};
}

}  // namespace

std::uint64_t tensor_id(const Tensor& tensor) {
  if (!tensor.defined()) throw Error("tensor_id: the tensor is undefined");
  return tensor.impl()->id;
}

Trace::Trace(const TraceOptions& options) : options_(options), outer_(std::exchange(innermost_trace, this)) {}
Trace::~Trace() { innermost_trace = outer_; }
TracePause::TracePause() : outer_(std::exchange(innermost_trace, nullptr)) {}
TracePause::~TracePause() { innermost_trace = outer_; }

Trace* Trace::innermost() { return innermost_trace; }

void Trace::append(const char* op, const std::vector<Tensor>& inputs, const Attributes& attributes,
                   const std::vector<Tensor>& outputs, const TraceInfo& info) {
  TracedOp traced{.op = op,
                  .module = module_path ? *module_path : "",
                  .attributes = attributes,
                  .inputs = {},
                  .outputs = {},
                  .info = info};
  for (const Tensor& input : inputs) {
    traced.inputs.push_back(describe(input));
    if (input.defined() && !produced_.contains(input.impl()->id)) entering_.emplace(input.impl()->id, input);
  }
  for (const Tensor& output : outputs) {
    traced.outputs.push_back(describe(output));
    produced_.emplace(output.impl()->id, options_.keep_tensors ? output : Tensor());
  }
  ops_.push_back(std::move(traced));
}

const Tensor& Trace::tensor(const TracedTensor& traced) const {
  for (const auto* known : {&entering_, &produced_}) {
    if (const auto found = known->find(traced.id); found != known->end() && found->second.defined()) {
      return found->second;
    }
  }
  throw Error(fmt::format("trace: it has not kept the tensor {} {}", to_string(traced.dtype), to_string(traced.shape)));
}

ModuleScope::ModuleScope(const std::string& name) : outer_(module_path) {
  if (name.empty()) return;
  module_path = std::make_shared<const std::string>(outer_ ? *outer_ + "." + name : name);
}

ModuleScope::~ModuleScope() { module_path = std::move(outer_); }

const std::shared_ptr<const std::string>& current_module_path() { return module_path; }

}  // namespace deft
