// The walk of backward() over the tape.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "deft/core/detail/node.h"
#include "deft/core/dispatch.h"
#include "deft/core/trace.h"
#include "deft/kernels/elementwise.h"

namespace deft {
namespace {

thread_local bool anomaly_mode = false;

void add_in_place(Tensor& sum, const Tensor& term) {
  dispatch_floating(sum, "backward", [&]<class T>(auto place) {
    kernels::add_scaled(place, sum.numel(), T(1), term.data<T>(), sum.mutable_data<T>());
  });
}

void accumulate(Tensor& sum, Tensor term) {
  if (!sum.defined()) {
    sum = std::move(term);
    return;
  }
  if (!owned_alone(sum)) sum = sum.clone();
  add_in_place(sum, term);
}

bool has_nan(const Tensor& tensor) {
  return visit_floating(tensor.dtype(), "backward", [&]<class T>() {
    const std::vector<T> values = tensor.to_vector<T>();
    return std::any_of(values.begin(), values.end(), [](T value) { return value != value; });
  });
}

class Walk {
 public:
  explicit Walk(bool retain_graph) : retain_graph_(retain_graph) {}

  void run(const Tensor& root, const Tensor& gradient) {
    TensorImpl& impl = *root.impl();
    if (!impl.grad_fn) {
      send({.node = nullptr, .index = 0, .leaf = root.shared_impl()}, gradient);
    } else {
      collect(impl.grad_fn);
      send({.node = impl.grad_fn, .index = impl.output_index, .leaf = nullptr}, gradient);
      for (std::size_t i = 0; i < order_.size(); ++i) visit(order_[i], grads_[i]);
    }
    for (const auto& leaf : leaves_) deliver(leaf);
  }

 private:
  void collect(const std::shared_ptr<Node>& root) {
    order_.push_back(root);
    positions_.emplace(root.get(), 0);
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const Node& node = *order_[i];
      for (const Edge& edge : node.edges) {
        if (edge.node && positions_.emplace(edge.node.get(), 0).second) order_.push_back(edge.node);
      }
    }
    std::sort(order_.begin(), order_.end(), [](const auto& a, const auto& b) { return a->sequence > b->sequence; });
    for (std::size_t i = 0; i < order_.size(); ++i) positions_[order_[i].get()] = i;
    grads_.resize(order_.size());
  }

  void send(const Edge& edge, Tensor gradient) {
    if (edge.leaf) {
      auto [slot, is_new] = leaf_grads_.try_emplace(edge.leaf.get());
      if (is_new) leaves_.push_back(edge.leaf);
      accumulate(slot->second, std::move(gradient));
    } else {
      std::vector<Tensor>& slots = grads_[positions_.at(edge.node.get())];
      slots.resize(edge.node->outputs.size());
      accumulate(slots[static_cast<std::size_t>(edge.index)], std::move(gradient));
    }
  }

  // Hooks and backward functions of users may return anything; kernels rely on the shape.
  template <class Source>
  static void require_fits(const Tensor& gradient, const Edge& edge, Source&& source) {
    const NodeOutput target =
        edge.leaf ? describe(*edge.leaf) : edge.node->outputs[static_cast<std::size_t>(edge.index)];
    if (gradient.shape() == target.shape && gradient.dtype() == target.dtype && gradient.device() == target.device)
      return;
    throw Error(fmt::format("backward: {} is {} {} on {}, expected {} {} on {}", source(), to_string(gradient.dtype()),
                            to_string(gradient.shape()), to_string(gradient.device()), to_string(target.dtype),
                            to_string(target.shape), to_string(target.device)));
  }

  static NodeOutput describe(const TensorImpl& tensor) {
    NodeOutput info;
    info.shape = tensor.shape;
    info.dtype = tensor.dtype;
    info.device = tensor.storage->device;
    return info;
  }

  static Tensor through_hooks(const HookList& hooks, Tensor gradient, const Edge& edge) {
    for (const Tensor::Hook& hook : hooks) {
      Tensor replaced = hook(gradient);
      if (!replaced.defined()) continue;
      require_fits(replaced, edge, [] { return std::string("the gradient that a hook returned"); });
      gradient = std::move(replaced);
    }
    return gradient;
  }

  void visit(const std::shared_ptr<Node>& visited, std::vector<Tensor>& slots) {
    if (slots.empty()) return;  // none of its outputs reaches the root
    Node& node = *visited;
    for (std::size_t i = 0; i < slots.size(); ++i) finish_output({visited, static_cast<int>(i), nullptr}, slots[i]);
    if (node.released) {  // checked after the hooks, which may have run a backward() of their own
      throw Error(fmt::format("backward: the graph of {} was freed by an earlier backward(); pass retain_graph to it",
                              node.name()));
    }
    const BackwardContext context(std::exchange(slots, {}), unpack(node), needed_inputs(node));
    std::vector<Tensor> gradients = node.apply(context);
    if (gradients.size() != node.edges.size()) {
      throw Error(
          fmt::format("backward of {}: {} gradients for {} inputs", node.name(), gradients.size(), node.edges.size()));
    }
    if (anomaly_mode) check_for_nan(node, gradients);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (!node.edges[i] || !gradients[i].defined()) continue;
      require_fits(gradients[i], node.edges[i],
                   [&] { return fmt::format("the gradient that {} computed for input {}", node.name(), i); });
      send(node.edges[i], std::move(gradients[i]));
    }
    if (!retain_graph_) node.release();
  }

  static void finish_output(const Edge& edge, Tensor& gradient) {
    const NodeOutput& output = edge.node->outputs[static_cast<std::size_t>(edge.index)];
    if (!gradient.defined()) gradient = zeros(output.shape, {.dtype = output.dtype, .device = output.device});
    if (output.hooks) gradient = through_hooks(*output.hooks, std::move(gradient), edge);
    const auto tensor = output.tensor.lock();
    if (tensor && tensor->retains_grad) store(*tensor, gradient);
  }

  static std::vector<Tensor> unpack(const Node& node) {
    std::vector<Tensor> tensors;
    tensors.reserve(node.saved.size());
    for (const SavedTensor& saved : node.saved) {
      if (saved.tensor.defined() && saved.tensor.impl()->storage->version != saved.version) {
        throw Error(fmt::format("backward of {}: a tensor of shape {} that it saved was changed in place since",
                                node.name(), to_string(saved.tensor.shape())));
      }
      tensors.push_back(saved.tensor);
    }
    return tensors;
  }

  static std::vector<bool> needed_inputs(const Node& node) {
    std::vector<bool> needs;
    needs.reserve(node.edges.size());
    for (const Edge& edge : node.edges) needs.push_back(static_cast<bool>(edge));
    return needs;
  }

  static void check_for_nan(const Node& node, const std::vector<Tensor>& gradients) {
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (gradients[i].defined() && has_nan(gradients[i])) {
        throw Error(fmt::format("backward of {}: the gradient of input {} holds a NaN", node.name(), i));
      }
    }
  }

  void deliver(const std::shared_ptr<TensorImpl>& leaf) {
    Tensor gradient = std::move(leaf_grads_[leaf.get()]);
    if (leaf->hooks) gradient = through_hooks(*leaf->hooks, std::move(gradient), {nullptr, 0, leaf});
    store(*leaf, std::move(gradient));
  }

  // A stored gradient is changed in place by later passes, so it must not share its elements.
  static void store(TensorImpl& tensor, Tensor gradient) {
    if (tensor.grad.defined()) {
      add_in_place(tensor.grad, gradient);
    } else {
      tensor.grad = owned_alone(gradient) ? std::move(gradient) : gradient.clone();
    }
  }

  const bool retain_graph_;
  std::vector<std::shared_ptr<Node>> order_;
  std::unordered_map<const Node*, std::size_t> positions_;  // in order_; not in the nodes, which walks may share
  std::vector<std::vector<Tensor>> grads_;                  // by position, then by output
  std::vector<std::shared_ptr<TensorImpl>> leaves_;
  std::unordered_map<TensorImpl*, Tensor> leaf_grads_;
};

void check_gradient(const Tensor& tensor, const Tensor& gradient) {
  if (gradient.shape() != tensor.shape() || gradient.dtype() != tensor.dtype() ||
      gradient.device() != tensor.device()) {
    throw Error(fmt::format("backward: gradient is {} {} on {}, expected {} {} on {}", to_string(gradient.dtype()),
                            to_string(gradient.shape()), to_string(gradient.device()), to_string(tensor.dtype()),
                            to_string(tensor.shape()), to_string(tensor.device())));
  }
}

}  // namespace

DetectAnomaly::DetectAnomaly() : outer_(std::exchange(anomaly_mode, true)) {}
DetectAnomaly::~DetectAnomaly() { anomaly_mode = outer_; }

void Tensor::backward() const { backward(BackwardOptions{}); }

void Tensor::backward(const BackwardOptions& options) const {
  if (options.create_graph) throw Error("backward: create_graph is true, but there is no double backward");
  if (!requires_grad()) {
    throw Error("backward: the tensor does not require grad; no input did, or it was computed inside NoGrad");
  }
  Tensor gradient = options.gradient;
  if (gradient.defined()) {
    check_gradient(*this, gradient);
  } else if (numel() == 1) {
    gradient = ones_like(*this);
  } else {
    throw Error(
        fmt::format("backward: shape is {}, expected one element unless a gradient is given", to_string(shape())));
  }
  const NoGrad no_grad;
  const TracePause no_trace;
  Walk(options.retain_graph).run(*this, gradient);
}

}  // namespace deft
