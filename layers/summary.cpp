#include "deft/layers/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "deft/core/autograd.h"
#include "deft/core/trace.h"

namespace deft {
namespace {

// Counts code points, so that columns line up with × and other characters of several bytes.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t columns) {
  return text + std::string(columns > width(text) ? columns - width(text) : 0, ' ');
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

}  // namespace

ModelSummary summarize(Module& module, const Tensor& input) {
  ModelSummary summary;
  std::unordered_set<std::uint64_t> uncounted;
  for (const Tensor& parameter : module.parameters()) {
    uncounted.insert(tensor_id(parameter));
    summary.parameters += parameter.numel();
    if (parameter.requires_grad()) summary.trainable_parameters += parameter.numel();
  }
  const NoGrad no_grad;
  const EvalScope evaluation(module);
  const Trace trace;
  module(input);
  for (const TracedOp& op : trace.ops()) {
    SummaryRow row{op.module, op.op, op.outputs.at(0).shape, 0, op.info.multiply_adds};
    for (const TracedTensor& tensor : op.inputs) {
      if (uncounted.erase(tensor.id) > 0) row.parameters += tensor.shape.numel();
    }
    summary.multiply_adds += row.multiply_adds;
    summary.rows.push_back(std::move(row));
  }
  return summary;
}

std::string to_string(const ModelSummary& summary) {
  std::size_t module_width = width("module"), op_width = width("operation"), shape_width = width("output");
  for (const SummaryRow& row : summary.rows) {
    module_width = std::max(module_width, width(row.module));
    op_width = std::max(op_width, width(row.op));
    shape_width = std::max(shape_width, width(to_string(row.output)));
  }
  const auto line = [&](const std::string& module, const std::string& op, const std::string& shape,
                        const std::string& parameters, const std::string& multiply_adds) {
    return fmt::format("{}  {}  {}  {:>12}  {:>14}\n", padded(module, module_width), padded(op, op_width),
                       padded(shape, shape_width), parameters, multiply_adds);
  };
  std::string text = line("module", "operation", "output", "parameters", "multiply-adds");
  for (const SummaryRow& row : summary.rows) {
    text += line(row.module, row.op, to_string(row.output), grouped(row.parameters), grouped(row.multiply_adds));
  }
  text += fmt::format("{} parameters, {} of them trainable; {} multiply-adds\n", grouped(summary.parameters),
                      grouped(summary.trainable_parameters), grouped(summary.multiply_adds));
  return text;
}

}  // namespace deft
