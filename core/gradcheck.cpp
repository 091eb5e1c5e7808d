#include "deft/core/gradcheck.h"

#include <fmt/format.h>

#include <cmath>

#include "deft/core/autograd.h"
#include "deft/kernels/runtime/philox.h"

namespace deft {
namespace {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

std::vector<double> random_weights(std::int64_t n) {
  PhiloxSequence sequence(0x6772616463686bull, 0);
  std::vector<double> weights(static_cast<std::size_t>(n));
  for (double& weight : weights) weight = sequence.uniform(-1, 1);
  return weights;
}

double weighted_sum(const Function& function, const std::vector<Tensor>& inputs, const std::vector<double>& weights) {
  const NoGrad no_grad;
  const std::vector<double> output = function(inputs).to_vector<double>();
  double sum = 0;
  for (std::size_t i = 0; i < output.size(); ++i) sum += output[i] * weights[i];
  return sum;
}

// Copies in which element `index` of input `which` can be moved without touching the caller's tensors.
double numerical_derivative(const Function& function, std::vector<Tensor> inputs, std::size_t which, std::size_t index,
                            const std::vector<double>& weights, double step) {
  const Shape shape = inputs[which].shape();
  const Device device = inputs[which].device();
  std::vector<double> values = inputs[which].to_vector<double>();
  const double center = values[index];
  double sums[2];
  for (const int side : {0, 1}) {
    values[index] = side == 0 ? center - step : center + step;
    inputs[which] = from_vector(values, shape, device);
    sums[side] = weighted_sum(function, inputs, weights);
  }
  return (sums[1] - sums[0]) / (2 * step);
}

std::vector<Tensor> fresh_leaves(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs) {
    if (input.defined() && input.requires_grad()) {
      if (input.dtype() != DType::float64) {
        throw Error(
            fmt::format("gradcheck: input {} is {}, expected float64", leaves.size(), to_string(input.dtype())));
      }
      leaves.push_back(input.detach().clone().set_requires_grad());
    } else {
      leaves.push_back(input);
    }
  }
  return leaves;
}

void compare(GradcheckResult& result, std::size_t input, std::size_t index, double analytical, double numerical,
             const GradcheckOptions& options) {
  const double allowed = options.absolute_tolerance + options.relative_tolerance * std::abs(numerical);
  const double error = std::abs(analytical - numerical) / allowed;
  if (!(error <= 1)) result.ok = false;
  if (!(error <= result.worst_error) || result.message.empty()) {
    result.worst_error = error;
    result.message =
        fmt::format("input {}, element {}: analytical {:.10g}, numerical {:.10g}", input, index, analytical, numerical);
  }
}

}  // namespace

GradcheckResult gradcheck(const Function& function, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  const std::vector<Tensor> leaves = fresh_leaves(inputs);
  const Tensor output = function(leaves);
  if (output.dtype() != DType::float64) {
    throw Error(fmt::format("gradcheck: the output is {}, expected float64", to_string(output.dtype())));
  }
  const std::vector<double> weights = random_weights(output.numel());
  output.backward({.gradient = from_vector(weights, output.shape(), output.device())});

  GradcheckResult result;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (!leaves[i].defined() || !leaves[i].requires_grad()) continue;
    const Tensor grad = leaves[i].grad().defined() ? leaves[i].grad() : zeros_like(leaves[i]);
    const std::vector<double> analytical = grad.to_vector<double>();
    for (std::size_t j = 0; j < analytical.size(); ++j) {
      const double numerical = numerical_derivative(function, leaves, i, j, weights, options.step);
      compare(result, i, j, analytical[j], numerical, options);
    }
  }
  return result;
}

}  // namespace deft
