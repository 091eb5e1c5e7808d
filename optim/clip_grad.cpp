#include "deft/optim/clip_grad.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "deft/core/dispatch.h"
#include "deft/core/elementwise.h"
#include "deft/core/reduce.h"
#include "deft/kernels/elementwise.h"
#include "deft/kernels/optimizer_step.h"
#include "deft/optim/detail/alike.h"

namespace deft {
namespace {

// Calls visit.operator()<T>(device, gradients) for the gradients of the parameters, once for all of one type on one
// device.
template <class Visit>
void for_gradients(const char* op, const std::vector<Tensor>& parameters, const Visit& visit) {
  std::vector<Tensor> gradients;
  for (const Tensor& parameter : parameters) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  for_alike(
      std::move(gradients), [](const Tensor& grad) { return grad; },
      [&](std::vector<Tensor>& alike, const Tensor& first) {
        dispatch_floating(first, op, [&]<class T>(auto place) { visit.template operator()<T>(place, alike); });
      });
}

double euclidean_norm(const std::vector<Tensor>& parameters) {
  double squares = 0;
  for_gradients("clip_grad_norm_", parameters, [&]<class T>(auto device, const std::vector<Tensor>& gradients) {
    std::vector<kernels::GradientArray<const T>> arrays;
    for (const Tensor& grad : gradients) arrays.push_back({grad.numel(), grad.data<T>()});
    squares += kernels::squared_norm<T>(device, arrays);
  });
  return std::sqrt(squares);
}

/// (Σ |g|^p)^(1/p), of elements divided by the largest one so that no power overflows.
double p_norm(const std::vector<Tensor>& parameters, double p) {
  std::vector<Tensor> magnitudes;
  double largest = 0;
  for (const Tensor& parameter : parameters) {
    if (!parameter.grad().defined() || parameter.numel() == 0) continue;
    magnitudes.push_back(abs(parameter.grad().detach().to(DType::float64)));
    const double value = max(magnitudes.back()).item();
    if (std::isnan(value)) return value;
    largest = std::max(largest, value);
  }
  if (largest == 0 || std::isinf(largest) || std::isinf(p)) return largest;
  double powers = 0;
  for (const Tensor& magnitude : magnitudes) powers += sum(pow(magnitude / largest, p)).item();
  return largest * std::pow(powers, 1 / p);
}

double norm_of_gradients(const std::vector<Tensor>& parameters, double p) {
  if (p != 2) return p_norm(parameters, p);
  const double norm = euclidean_norm(parameters);
  return std::isfinite(norm) ? norm : p_norm(parameters, p);  // the squares of float64 overflow from 1e154 on
}

}  // namespace

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, const ClipGradNormOptions& options) {
  if (!(max_norm >= 0)) throw Error(fmt::format("clip_grad_norm_: max_norm is {}, expected at least 0", max_norm));
  if (!(options.norm_type > 0)) {
    throw Error(fmt::format("clip_grad_norm_: norm_type is {}, expected above 0", options.norm_type));
  }
  const double norm = norm_of_gradients(parameters, options.norm_type);
  if (options.error_if_nonfinite && !std::isfinite(norm)) {
    throw Error(fmt::format("clip_grad_norm_: the norm of the gradients is {}, expected a finite one", norm));
  }
  const double factor = max_norm / (norm + 1e-6);
  if (factor >= 1) return norm;
  for_gradients("clip_grad_norm_", parameters, [&]<class T>(auto device, std::vector<Tensor>& gradients) {
    std::vector<kernels::GradientArray<T>> arrays;
    for (Tensor& grad : gradients) arrays.push_back({grad.numel(), grad.mutable_data<T>()});
    kernels::scale<T>(device, static_cast<T>(factor), arrays);
  });
  return norm;
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value) {
  if (!(clip_value >= 0)) {
    throw Error(fmt::format("clip_grad_value_: clip_value is {}, expected at least 0", clip_value));
  }
  for_gradients("clip_grad_value_", parameters, [&]<class T>(auto device, std::vector<Tensor>& gradients) {
    const kernels::Unary clamp{kernels::UnaryOp::clamp, -clip_value, clip_value};
    for (Tensor& grad : gradients) {
      T* data = grad.mutable_data<T>();
      kernels::unary_forward<T>(device, clamp, grad.numel(), data, data);
    }
  });
}

}  // namespace deft
