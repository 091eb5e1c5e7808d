#include "deft/core/elementwise.h"

#include <fmt/format.h>

#include "deft/core/autograd.h"
#include "deft/core/checks.h"
#include "deft/core/detail/spaces.h"
#include "deft/core/detail/unary.h"
#include "deft/core/dispatch.h"
#include "deft/kernels/elementwise.h"

namespace deft {
namespace {

using kernels::BinaryOp;
using kernels::CompareOp;
using kernels::UnaryOp;

/// A number as a tensor without axes, to broadcast with `like`.
Tensor scalar(const char* op, double value, const Tensor& like) {
  require_representable(op, value, like.dtype());
  return full({}, value, {.dtype = like.dtype(), .device = like.device()});
}

kernels::Strided<2> broadcast_space(const Shape& result, const Shape& a, const Shape& b) {
  return make_space<2>(result, {broadcast_strides(a, result), broadcast_strides(b, result)});
}

Tensor binary_gradient(BinaryOp op, int operand, const Tensor& grad, const Tensor& a, const Tensor& b) {
  Tensor result = empty_like(grad);
  const auto space = broadcast_space(grad.shape(), a.shape(), b.shape());
  dispatch_floating(grad, "backward", [&]<class T>(auto place) {
    const T *g = grad.data<T>(), *x = a.data<T>(), *y = b.data<T>();
    if (operand == 0) {
      kernels::binary_backward_a<T>(place, op, space, g, x, y, result.mutable_data<T>());
    } else {
      kernels::binary_backward_b<T>(place, op, space, g, x, y, result.mutable_data<T>());
    }
  });
  return sum_to(result, operand == 0 ? a.shape() : b.shape());
}

/// The gradients of sums and differences need neither operand, only their shapes.
Backward sum_backward(BinaryOp op, const Shape& a, const Shape& b) {
  return {.apply = [op, a, b](const BackwardContext& context) -> std::vector<Tensor> {
    Tensor grad_b;
    if (context.needs(1)) grad_b = op == BinaryOp::sub ? -sum_to(context.grad(), b) : sum_to(context.grad(), b);
    return {context.needs(0) ? sum_to(context.grad(), a) : Tensor(), grad_b};
  }};
}

Backward binary_backward(BinaryOp op, const Tensor& a, const Tensor& b) {
  return {.saved = {a, b}, .apply = [op](const BackwardContext& context) -> std::vector<Tensor> {
            const auto gradient = [&](int operand) {
              return binary_gradient(op, operand, context.grad(), context.saved(0), context.saved(1));
            };
            return {context.needs(0) ? gradient(0) : Tensor(), context.needs(1) ? gradient(1) : Tensor()};
          }};
}

Tensor binary(const char* name, BinaryOp op, const Tensor& a, const Tensor& b) {
  require_same_kind(name, {{"a", a}, {"b", b}});
  const Shape shape = broadcast_shapes(a.shape(), b.shape(), name);
  Tensor result = empty(shape, {.dtype = a.dtype(), .device = a.device()});
  const auto space = broadcast_space(shape, a.shape(), b.shape());
  const auto run = [&]<class T>(auto place) {
    kernels::binary_forward<T>(place, op, space, a.data<T>(), b.data<T>(), result.mutable_data<T>());
  };
  if (op == BinaryOp::div || op == BinaryOp::pow) {
    dispatch_floating(a, name, run);
  } else {
    dispatch_signed(a, name, run);
  }
  record(
      name, {a, b}, {}, {result},
      op == BinaryOp::add || op == BinaryOp::sub ? sum_backward(op, a.shape(), b.shape()) : binary_backward(op, a, b));
  return result;
}

Tensor compare(const char* name, CompareOp op, const Tensor& a, const Tensor& b) {
  require_same_kind(name, {{"a", a}, {"b", b}});
  const Shape shape = broadcast_shapes(a.shape(), b.shape(), name);
  Tensor result = empty(shape, {.dtype = DType::uint8, .device = a.device()});
  const auto space = broadcast_space(shape, a.shape(), b.shape());
  dispatch(a, [&]<class T>(auto place) {
    kernels::compare<T>(place, op, space, a.data<T>(), b.data<T>(), result.mutable_data<std::uint8_t>());
  });
  record(name, {a, b}, {}, {result}, {});
  return result;
}

}  // namespace

Tensor operator+(const Tensor& a, const Tensor& b) { return binary("add", BinaryOp::add, a, b); }
Tensor operator-(const Tensor& a, const Tensor& b) { return binary("sub", BinaryOp::sub, a, b); }
Tensor operator*(const Tensor& a, const Tensor& b) { return binary("mul", BinaryOp::mul, a, b); }
Tensor operator/(const Tensor& a, const Tensor& b) { return binary("div", BinaryOp::div, a, b); }
Tensor operator-(const Tensor& x) { return detail::unary("neg", UnaryOp::neg, x, empty_like(x)); }

Tensor operator+(const Tensor& a, double b) { return a + scalar("add", b, a); }
Tensor operator-(const Tensor& a, double b) { return a - scalar("sub", b, a); }
Tensor operator*(const Tensor& a, double b) { return a * scalar("mul", b, a); }
Tensor operator/(const Tensor& a, double b) { return a / scalar("div", b, a); }
Tensor operator+(double a, const Tensor& b) { return scalar("add", a, b) + b; }
Tensor operator-(double a, const Tensor& b) { return scalar("sub", a, b) - b; }
Tensor operator*(double a, const Tensor& b) { return scalar("mul", a, b) * b; }
Tensor operator/(double a, const Tensor& b) { return scalar("div", a, b) / b; }

Tensor pow(const Tensor& a, const Tensor& b) { return binary("pow", BinaryOp::pow, a, b); }
Tensor pow(const Tensor& a, double b) { return pow(a, scalar("pow", b, a)); }
Tensor minimum(const Tensor& a, const Tensor& b) { return binary("minimum", BinaryOp::minimum, a, b); }
Tensor maximum(const Tensor& a, const Tensor& b) { return binary("maximum", BinaryOp::maximum, a, b); }

Tensor abs(const Tensor& x) { return detail::unary("abs", UnaryOp::abs, x, empty_like(x)); }
Tensor exp(const Tensor& x) { return detail::unary("exp", UnaryOp::exp, x, empty_like(x)); }
Tensor log(const Tensor& x) { return detail::unary("log", UnaryOp::log, x, empty_like(x)); }
Tensor log1p(const Tensor& x) { return detail::unary("log1p", UnaryOp::log1p, x, empty_like(x)); }
Tensor sqrt(const Tensor& x) { return detail::unary("sqrt", UnaryOp::sqrt, x, empty_like(x)); }

Tensor clamp(const Tensor& x, double low, double high) {
  if (!(low <= high)) throw Error(fmt::format("clamp: low is {}, high is {}, expected low <= high", low, high));
  return detail::unary("clamp", {UnaryOp::clamp, low, high}, x, empty_like(x), {{"low", low}, {"high", high}});
}

Tensor eq(const Tensor& a, const Tensor& b) { return compare("eq", CompareOp::eq, a, b); }
Tensor ne(const Tensor& a, const Tensor& b) { return compare("ne", CompareOp::ne, a, b); }
Tensor lt(const Tensor& a, const Tensor& b) { return compare("lt", CompareOp::lt, a, b); }
Tensor le(const Tensor& a, const Tensor& b) { return compare("le", CompareOp::le, a, b); }
Tensor gt(const Tensor& a, const Tensor& b) { return compare("gt", CompareOp::gt, a, b); }
Tensor ge(const Tensor& a, const Tensor& b) { return compare("ge", CompareOp::ge, a, b); }
Tensor eq(const Tensor& a, double b) { return eq(a, scalar("eq", b, a)); }
Tensor ne(const Tensor& a, double b) { return ne(a, scalar("ne", b, a)); }
Tensor lt(const Tensor& a, double b) { return lt(a, scalar("lt", b, a)); }
Tensor le(const Tensor& a, double b) { return le(a, scalar("le", b, a)); }
Tensor gt(const Tensor& a, double b) { return gt(a, scalar("gt", b, a)); }
Tensor ge(const Tensor& a, double b) { return ge(a, scalar("ge", b, a)); }

namespace {

/// condition ? a : b, not recorded; all three broadcast to `shape`.
Tensor select(const Shape& shape, const Tensor& condition, const Tensor& a, const Tensor& b) {
  Tensor result = empty(shape, {.dtype = a.dtype(), .device = a.device()});
  const auto space = make_space<3>(shape, {broadcast_strides(condition.shape(), shape),
                                           broadcast_strides(a.shape(), shape), broadcast_strides(b.shape(), shape)});
  dispatch(a, [&]<class T>(auto place) {
    kernels::where<T>(place, space, condition.data<std::uint8_t>(), a.data<T>(), b.data<T>(), result.mutable_data<T>());
  });
  return result;
}

}  // namespace

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  require_dtype("where", {"condition", condition}, DType::uint8);
  require_same_kind("where", {{"a", a}, {"b", b}});
  require_same_device("where", {{"condition", condition}, {"a", a}});
  const Shape values = broadcast_shapes(a.shape(), b.shape(), "where");
  const Shape shape = broadcast_shapes(condition.shape(), values, "where");
  const Tensor result = select(shape, condition, a, b);
  record("where", {condition, a, b}, {}, {result},
         {.saved = {condition},
          .apply = [a_shape = a.shape(), b_shape = b.shape()](const BackwardContext& context) -> std::vector<Tensor> {
            const Tensor &grad = context.grad(), &mask = context.saved();
            const Tensor zero = zeros({}, {.dtype = grad.dtype(), .device = grad.device()});
            return {Tensor(), context.needs(1) ? sum_to(select(grad.shape(), mask, grad, zero), a_shape) : Tensor(),
                    context.needs(2) ? sum_to(select(grad.shape(), mask, zero, grad), b_shape) : Tensor()};
          }});
  return result;
}

}  // namespace deft
