#include "deft/core/autograd.h"

#include <fmt/format.h>

#include <atomic>
#include <utility>

#include "deft/core/detail/node.h"
#include "deft/core/trace.h"

namespace deft {
namespace {

thread_local bool grad_mode = true;

std::uint64_t next_sequence() {
  static std::atomic<std::uint64_t> counter{0};
  return ++counter;
}

Edge edge_to(const Tensor& input) {
  if (!input.defined() || !input.requires_grad()) return {};
  TensorImpl& impl = *input.impl();
  if (impl.grad_fn) return {.node = impl.grad_fn, .index = impl.output_index, .leaf = nullptr};
  return {.node = nullptr, .index = 0, .leaf = input.shared_impl()};
}

SavedTensor save(const Tensor& tensor) {
  if (!tensor.defined()) return {};
  return {.tensor = tensor.detach(), .version = tensor.impl()->storage->version};
}

void connect(Tensor output, const std::shared_ptr<Node>& node) {
  TensorImpl& impl = *output.impl();
  NodeOutput info;
  info.shape = impl.shape;
  info.dtype = impl.dtype;
  info.device = impl.storage->device;
  info.tensor = output.shared_impl();
  if (is_floating(impl.dtype)) {
    impl.requires_grad = true;
    impl.grad_fn = node;
    impl.output_index = static_cast<int>(node->outputs.size());
  }
  node->outputs.push_back(std::move(info));
}

}  // namespace

NoGrad::NoGrad() : outer_(std::exchange(grad_mode, false)) {}
NoGrad::~NoGrad() { grad_mode = outer_; }

bool grad_enabled() { return grad_mode; }

Tensor reuse_or_empty(const Tensor& x) {
  // A trace keeps what enters it.
  return owned_alone(x) && !Trace::active() ? alias(x, x.shape()) : empty_like(x);
}

Tensor BackwardContext::memory_of_grad(std::size_t i) const { return reuse_or_empty(grad(i)); }

void record(const char* op, const std::vector<Tensor>& inputs, Attributes attributes,
            const std::vector<Tensor>& outputs, Backward backward, const TraceInfo& info) {
  for (Trace* trace = Trace::innermost(); trace != nullptr; trace = trace->outer_) {
    trace->append(op, inputs, attributes, outputs, info);
  }
  if (!grad_mode || !backward.apply) return;
  bool needed = false;
  for (const Tensor& input : inputs) needed = needed || (input.defined() && input.requires_grad());
  if (!needed) return;

  auto node = std::make_shared<Node>();
  node->op = op;
  node->module = current_module_path();
  node->sequence = next_sequence();
  node->edges.reserve(inputs.size());
  for (const Tensor& input : inputs) node->edges.push_back(edge_to(input));
  node->saved.reserve(backward.saved.size());
  for (const Tensor& tensor : backward.saved) node->saved.push_back(save(tensor));
  node->apply = std::move(backward.apply);
  node->outputs.reserve(outputs.size());
  for (const Tensor& output : outputs) connect(output, node);
}

std::string Node::name() const { return module ? fmt::format("{} (module {})", op, *module) : std::string(op); }

void Node::release() {
  saved.clear();
  apply = nullptr;
  released = true;
}

// Dropping the head of a long chain must not recurse down it: the first destructor on this thread takes the nodes that
// the others let go of and drops them one by one.
Node::~Node() {
  thread_local std::vector<std::shared_ptr<Node>>* falling = nullptr;
  std::vector<std::shared_ptr<Node>> mine;
  const bool first = falling == nullptr;
  if (first) falling = &mine;
  for (Edge& edge : edges) {
    if (edge.node) falling->push_back(std::move(edge.node));
  }
  if (!first) return;
  while (!mine.empty()) {
    const std::shared_ptr<Node> node = std::move(mine.back());
    mine.pop_back();
  }
  falling = nullptr;
}

bool Tensor::requires_grad() const { return checked().requires_grad; }
bool Tensor::is_leaf() const { return !checked().grad_fn; }
Tensor Tensor::grad() const { return checked().grad; }

Tensor& Tensor::set_requires_grad(bool value) {
  TensorImpl& impl = checked();
  if (value && !is_floating(impl.dtype)) {
    throw Error(fmt::format("set_requires_grad: dtype is {}, expected float32 or float64", to_string(impl.dtype)));
  }
  if (!value && impl.grad_fn) {
    throw Error(fmt::format("set_requires_grad: the tensor is the result of {}; use detach()", impl.grad_fn->name()));
  }
  impl.requires_grad = value;
  return *this;
}

void Tensor::set_grad(const Tensor& grad) {
  TensorImpl& impl = checked();
  if (grad.defined() && (grad.shape() != impl.shape || grad.dtype() != impl.dtype || grad.device() != device())) {
    throw Error(fmt::format("set_grad: gradient is {} {} on {}, expected {} {} on {}", to_string(grad.dtype()),
                            to_string(grad.shape()), to_string(grad.device()), to_string(impl.dtype),
                            to_string(impl.shape), to_string(device())));
  }
  impl.grad = grad;
}

void Tensor::retain_grad() {
  TensorImpl& impl = checked();
  if (!impl.requires_grad) throw Error("retain_grad: the tensor does not require grad");
  impl.retains_grad = true;
}

void Tensor::register_hook(Hook hook) {
  TensorImpl& impl = checked();
  if (!impl.requires_grad) throw Error("register_hook: the tensor does not require grad");
  if (!impl.hooks) {
    impl.hooks = std::make_shared<HookList>();
    if (impl.grad_fn) impl.grad_fn->outputs[static_cast<std::size_t>(impl.output_index)].hooks = impl.hooks;
  }
  impl.hooks->push_back(std::move(hook));
}

}  // namespace deft
