#include "deft/apps/pictures/receptive_field.h"

#include <algorithm>
#include <cmath>

#include "deft/core/reduce.h"
#include "deft/core/shape_ops.h"
#include "deft/core/trace.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

constexpr double least_share = 1.0 / 255;

const Tensor& last_feature_map(const Trace& trace) {
  for (auto op = trace.ops().rbegin(); op != trace.ops().rend(); ++op) {
    const Shape& shape = op->outputs.at(0).shape;
    if (shape.dim() == 4 && shape[1] * shape[2] > 1) return trace.tensor(op->outputs[0]);
  }
  throw Error("the net has no feature map of more than one cell");
}

}  // namespace

std::int64_t ReceptiveField::count() const { return std::count(marked.begin(), marked.end(), true); }

ReceptiveField receptive_field(Module& net, const Tensor& image) {
  const EvalScope evaluating(net);
  const Tensor input = image.clone().set_requires_grad();
  const Trace trace({.keep_tensors = true});
  net(input);
  const TracePause done;  // what follows is no part of the net
  const Tensor& map = last_feature_map(trace);
  ReceptiveField field{.height = map.size(1),
                       .width = map.size(2),
                       .cell_y = map.size(1) / 2,
                       .cell_x = map.size(2) / 2,
                       .gradient = {},
                       .marked = {}};
  sum(select(select(map, 1, field.cell_y), 1, field.cell_x)).backward();
  net.zero_grad();

  const std::vector<double> values = input.grad().to(DType::float64).to_vector<double>();
  const auto channels = static_cast<std::size_t>(image.size(3));
  field.gradient.resize(values.size() / channels);
  for (std::size_t i = 0; i < values.size(); ++i) {
    double& most = field.gradient[i / channels];
    most = std::max(most, std::abs(values[i]));
  }
  const double largest = *std::max_element(field.gradient.begin(), field.gradient.end());
  for (const double value : field.gradient) field.marked.push_back(value > least_share * largest);
  return field;
}

}  // namespace deft::apps
