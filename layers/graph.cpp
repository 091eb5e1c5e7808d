#include "deft/layers/graph.h"

#include <fmt/format.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "deft/core/autograd.h"
#include "deft/core/trace.h"

namespace deft {
namespace {

// The nodes of a module and of those inside it.
struct Cluster {
  std::string path;
  std::vector<std::string> nodes;
  std::vector<Cluster> inner;

  // The cluster of the module `path` inside this one; empty: this one.
  Cluster& at(const std::string& path_in_model) {
    if (path_in_model == path) return *this;
    const std::size_t begin = path.empty() ? 0 : path.size() + 1;
    const std::string child = path_in_model.substr(0, path_in_model.find('.', begin));
    for (Cluster& cluster : inner) {
      if (cluster.path == child) return cluster.at(path_in_model);
    }
    inner.push_back({child, {}, {}});
    return inner.back().at(path_in_model);
  }

  std::string statements(const std::string& indent) const {
    std::string text;
    for (const std::string& node : nodes) text += indent + node;
    for (const Cluster& cluster : inner) {
      text += fmt::format("{0}subgraph \"cluster_{1}\" {{\n{0}  label=\"{1}\";\n", indent, cluster.path);
      text += cluster.statements(indent + "  ") + indent + "}\n";
    }
    return text;
  }
};

std::string escaped(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

class Drawing {
 public:
  // `names` says what tensors from outside are called.
  Drawing(const Trace& trace, std::unordered_map<std::uint64_t, std::string> names, const Tensor& output)
      : names_(std::move(names)) {
    for (const TracedOp& op : trace.ops()) add(op);
    root_.nodes.push_back(box("output", "output", output.shape()));
    if (const auto source = sources_.find(tensor_id(output)); source != sources_.end()) {
      edges_ += fmt::format("  {} -> output;\n", source->second);
    }
  }

  std::string text() const {
    return "digraph model {\n"
           "  graph [fontname=\"sans-serif\", fontsize=12, style=rounded, color=gray50];\n"
           "  node [fontname=\"sans-serif\", fontsize=11];\n"
           "  edge [fontname=\"sans-serif\", fontsize=9];\n" +
           root_.statements("  ") + edges_ + "}\n";
  }

 private:
  void add(const TracedOp& op) {
    const std::string node = fmt::format("op{}", ops_++);
    Cluster& cluster = root_.at(op.module);
    cluster.nodes.push_back(fmt::format("{} [label=\"{}\"];\n", node, escaped(op.op)));
    for (const TracedTensor& tensor : op.inputs) {
      if (tensor.id == 0) continue;
      if (const auto made = sources_.find(tensor.id); made != sources_.end()) {
        // The weight keeps what flows from operation to operation straight.
        edges_ += fmt::format("  {} -> {} [label=\"{}\", weight=9];\n", made->second, node, to_string(tensor.shape));
        continue;
      }
      auto source = entering_.find(tensor.id);
      if (source == entering_.end()) source = entering_.emplace(tensor.id, add_entering(tensor, cluster)).first;
      edges_ += fmt::format("  {} -> {};\n", source->second, node);
    }
    for (const TracedTensor& tensor : op.outputs) sources_[tensor.id] = node;
  }

  // Parameters stand beside the operation that reads them first, in its module's words.
  std::string add_entering(const TracedTensor& tensor, Cluster& reader) {
    const std::string node = fmt::format("tensor{}", entering_.size());
    const auto known = names_.find(tensor.id);
    std::string name = known == names_.end() ? "constant" : known->second;
    if (name.starts_with(reader.path + ".")) name.erase(0, reader.path.size() + 1);
    Cluster& cluster = name == "input" ? root_ : reader;
    cluster.nodes.push_back(box(node, name, tensor.shape));
    return node;
  }

  static std::string box(const std::string& node, const std::string& name, const Shape& shape) {
    return fmt::format("{} [shape=box, label=\"{}\\n{}\"];\n", node, escaped(name), to_string(shape));
  }

  std::unordered_map<std::uint64_t, std::string> names_;
  std::unordered_map<std::uint64_t, std::string> sources_, entering_;  // the nodes of tensors
  Cluster root_;
  std::string edges_;
  int ops_ = 0;
};

}  // namespace

std::string graph_dot(Module& module, const Tensor& input) {
  std::unordered_map<std::uint64_t, std::string> names;
  for (const auto& [name, tensor] : module.named_parameters()) names[tensor_id(tensor)] = name;
  for (const auto& [name, tensor] : module.named_buffers()) names[tensor_id(tensor)] = name;
  names[tensor_id(input)] = "input";
  const NoGrad no_grad;
  const EvalScope evaluation(module);
  const Trace trace;
  const Tensor output = module(input);
  return Drawing(trace, std::move(names), output).text();
}

}  // namespace deft
