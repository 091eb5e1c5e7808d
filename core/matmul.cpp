#include "deft/core/matmul.h"

#include <fmt/format.h>

#include "deft/core/autograd.h"
#include "deft/core/checks.h"
#include "deft/core/detail/spaces.h"
#include "deft/core/dispatch.h"
#include "deft/kernels/matmul.h"

namespace deft {
namespace {

Shape without_matrix(const Shape& shape) { return Shape(std::vector<std::int64_t>(shape.begin(), shape.end() - 2)); }

/// The product of two checked operands, not recorded.
Tensor multiply(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
  kernels::MatmulShape shape;
  shape.m = a.size(transpose_a ? -1 : -2);
  shape.k = a.size(transpose_a ? -2 : -1);
  shape.n = b.size(transpose_b ? -2 : -1);
  shape.transpose_a = transpose_a;
  shape.transpose_b = transpose_b;
  const Shape batch_a = without_matrix(a.shape()), batch_b = without_matrix(b.shape());
  Shape result_shape = broadcast_shapes(batch_a, batch_b, "matmul");
  shape.batch =
      make_space<2>(result_shape, {broadcast_strides(batch_a, result_shape), broadcast_strides(batch_b, result_shape)});
  result_shape.push_back(shape.m);
  result_shape.push_back(shape.n);
  Tensor result = empty(result_shape, {.dtype = a.dtype(), .device = a.device()});
  dispatch_floating(a, "matmul", [&]<class T>(auto place) {
    kernels::matmul<T>(place, shape, a.data<T>(), b.data<T>(), static_cast<const T*>(nullptr),
                       result.mutable_data<T>());
  });
  return result;
}

/// A batch of matrices as the rows of one.
Tensor join_batch(const Tensor& x) {
  const std::int64_t columns = x.size(-1);
  std::int64_t rows = 1;
  for (int axis = 0; axis + 1 < x.dim(); ++axis) rows *= x.shape()[axis];
  return alias(x, {rows, columns});
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options) {
  require_same_kind("matmul", {{"a", a}, {"b", b}});
  for (const Argument& argument : {Argument{"a", a}, Argument{"b", b}}) {
    if (argument.tensor.dim() >= 2) continue;
    throw Error(
        fmt::format("matmul: {} is {}, expected at least two axes", argument.name, to_string(argument.tensor.shape())));
  }
  const std::int64_t k = a.size(options.transpose_a ? -2 : -1);
  if (b.size(options.transpose_b ? -1 : -2) != k) {
    throw Error(fmt::format("matmul: a is {}{}, b is {}{}, inner sizes {} and {} differ", to_string(a.shape()),
                            options.transpose_a ? " transposed" : "", to_string(b.shape()),
                            options.transpose_b ? " transposed" : "", k, b.size(options.transpose_b ? -1 : -2)));
  }
  // One matrix b for a whole batch of a: the batch is then just more rows of one product.
  const bool joins = a.dim() > 2 && b.dim() == 2 && !options.transpose_a;
  Tensor result = multiply(joins ? join_batch(a) : a, options.transpose_a, b, options.transpose_b);
  if (joins) {
    Shape shape = a.shape();
    shape.set(a.dim() - 1, result.size(-1));
    result = alias(result, shape);
  }
  record("matmul", {a, b}, {{"transpose_a", options.transpose_a}, {"transpose_b", options.transpose_b}}, {result},
         {.saved = {a, b},
          .apply = [options, joins](const BackwardContext& context) -> std::vector<Tensor> {
            const auto [ta, tb] = options;
            const Shape& a_shape = context.saved(0).shape();
            const Tensor g = joins ? join_batch(context.grad()) : context.grad();
            const Tensor x = joins ? join_batch(context.saved(0)) : context.saved(0), y = context.saved(1);
            Tensor grad_a, grad_b;
            if (context.needs(0)) {
              grad_a = ta ? multiply(y, tb, g, true) : multiply(g, false, y, !tb);
              grad_a = joins ? alias(grad_a, a_shape) : sum_to(grad_a, a_shape);
            }
            if (context.needs(1)) {
              grad_b = sum_to(tb ? multiply(g, true, x, ta) : multiply(x, !ta, g, false), y.shape());
            }
            return {grad_a, grad_b};
          }},
         {.multiply_adds = result.numel() * k});
  return result;
}

}  // namespace deft
