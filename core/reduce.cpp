#include "deft/core/reduce.h"

#include <fmt/format.h>

#include <string>

#include "deft/core/autograd.h"
#include "deft/core/detail/spaces.h"
#include "deft/core/dispatch.h"
#include "deft/core/elementwise.h"
#include "deft/kernels/reduce.h"

namespace deft {
namespace {

using kernels::ReduceOp;

/// What a reduction does to the shape of its input.
struct Reduction {
  Shape input;
  Shape kept;    // result with the reduced axes as 1
  Shape result;  // without them, unless keepdim
  std::vector<std::int64_t> axes;
  bool keepdim;
  std::int64_t count = 1;  // elements that make one

  Reduction(const char* op, const Shape& shape, const std::vector<int>& wanted, bool keep)
      : input(shape), kept(shape), keepdim(keep) {
    std::vector<bool> reduced(static_cast<std::size_t>(shape.dim()), wanted.empty());
    for (const int axis : wanted) {
      const int normal = shape.normalized_axis(axis, op);
      if (reduced[static_cast<std::size_t>(normal)]) throw Error(fmt::format("{}: axis {} is given twice", op, axis));
      reduced[static_cast<std::size_t>(normal)] = true;
    }
    for (int axis = 0; axis < shape.dim(); ++axis) {
      if (reduced[static_cast<std::size_t>(axis)]) {
        count *= shape[axis];
        axes.push_back(axis);
        kept.set(axis, 1);
      }
      if (keep || !reduced[static_cast<std::size_t>(axis)]) result.push_back(kept[axis]);
    }
  }

  kernels::Strided<2> space() const {
    return make_space<2>(input, {strides_of(input), broadcast_strides(kept, input)});
  }

  Attributes attributes() const { return {{"axes", axes}, {"keepdim", keepdim}}; }

  void require_elements(const char* op) const {
    if (count == 0) throw Error(fmt::format("{}: shape is {}, nothing to reduce", op, to_string(input)));
  }
};

Tensor run(const char* name, ReduceOp op, const Tensor& x, const Reduction& reduction) {
  Tensor result = empty(reduction.result, {.dtype = x.dtype(), .device = x.device()});
  const auto kernel = [&]<class T>(auto place) {
    kernels::reduce<T>(place, op, reduction.space(), x.data<T>(), result.mutable_data<T>());
  };
  if (op == ReduceOp::mean) {
    dispatch_floating(x, name, kernel);
  } else {
    dispatch_signed(x, name, kernel);
  }
  return result;
}

Tensor extremum(const char* name, ReduceOp op, const Tensor& x, const std::vector<int>& axes, bool keepdim) {
  const Reduction reduction(name, x.shape(), axes, keepdim);
  reduction.require_elements(name);
  const Tensor result = run(name, op, x, reduction);
  record(
      name, {x}, reduction.attributes(), {result},
      {.saved = {x, result}, .apply = [kept = reduction.kept](const BackwardContext& context) -> std::vector<Tensor> {
         const Tensor& input = context.saved(0);
         const Tensor chosen = eq(input, alias(context.saved(1), kept)).to(input.dtype());
         return {chosen * (alias(context.grad(), kept) / sum_to(chosen, kept))};
       }});
  return result;
}

}  // namespace

Tensor sum(const Tensor& x, const std::vector<int>& axes, bool keepdim) {
  if (x.dtype() == DType::uint8) return sum(x.to(DType::int64), axes, keepdim);
  const Reduction reduction("sum", x.shape(), axes, keepdim);
  const Tensor result = run("sum", ReduceOp::sum, x, reduction);
  record("sum", {x}, reduction.attributes(), {result},
         {.apply = [input = reduction.input, kept = reduction.kept](const BackwardContext& context)
              -> std::vector<Tensor> { return {repeat_to(alias(context.grad(), kept), input)}; }});
  return result;
}

Tensor mean(const Tensor& x, const std::vector<int>& axes, bool keepdim) {
  const Reduction reduction("mean", x.shape(), axes, keepdim);
  const Tensor result = run("mean", ReduceOp::mean, x, reduction);
  record("mean", {x}, reduction.attributes(), {result},
         {.apply = [input = reduction.input, kept = reduction.kept,
                    count = reduction.count](const BackwardContext& context) -> std::vector<Tensor> {
           return {repeat_to(alias(context.grad() / static_cast<double>(count), kept), input)};
         }});
  return result;
}

Tensor max(const Tensor& x, const std::vector<int>& axes, bool keepdim) {
  return extremum("max", ReduceOp::max, x, axes, keepdim);
}

Tensor min(const Tensor& x, const std::vector<int>& axes, bool keepdim) {
  return extremum("min", ReduceOp::min, x, axes, keepdim);
}

Tensor argmax(const Tensor& x, const std::vector<int>& axes, bool keepdim) {
  const Reduction reduction("argmax", x.shape(), axes, keepdim);
  reduction.require_elements("argmax");
  Tensor result = empty(reduction.result, {.dtype = DType::int64, .device = x.device()});
  dispatch_signed(x, "argmax", [&]<class T>(auto place) {
    kernels::argmax<T>(place, reduction.space(), x.data<T>(), result.mutable_data<std::int64_t>());
  });
  record("argmax", {x}, reduction.attributes(), {result}, {});
  return result;
}

}  // namespace deft
