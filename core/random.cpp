#include "deft/core/random.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "deft/kernels/dispatch.h"
#include "deft/kernels/philox.h"
#include "deft/kernels/random.h"

namespace deft {
namespace {

kernels::RandomStream next_stream(Generator& generator) { return {generator.seed(), generator.next_stream()}; }

}  // namespace

Tensor rand(const Shape& shape, const TensorOptions& options, Generator& generator) {
  Tensor result = empty(shape, options);
  visit_floating(options.dtype, "rand", [&](auto tag) {
    using T = typename decltype(tag)::type;
    on_device(options.device, [&](auto device) {
      kernels::fill_uniform<T>(device, next_stream(generator), result.numel(), 0, 1, result.mutable_data<T>());
    });
  });
  return result;
}

Tensor randn(const Shape& shape, const TensorOptions& options, Generator& generator) {
  Tensor result = empty(shape, options);
  visit_floating(options.dtype, "randn", [&](auto tag) {
    using T = typename decltype(tag)::type;
    on_device(options.device, [&](auto device) {
      kernels::fill_normal<T>(device, next_stream(generator), result.numel(), 0, 1, result.mutable_data<T>());
    });
  });
  return result;
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Device device, Generator& generator) {
  if (low >= high) throw Error(fmt::format("randint: low is {}, high is {}, expected low < high", low, high));
  Tensor result = empty(shape, {.dtype = DType::int64, .device = device});
  on_device(device, [&](auto d) {
    kernels::fill_randint(d, next_stream(generator), result.numel(), low, high, result.mutable_data<std::int64_t>());
  });
  return result;
}

Tensor randperm(std::int64_t n, Device device, Generator& generator) {
  if (n < 0) throw Error(fmt::format("randperm: n is {}, expected at least 0", n));
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  PhiloxSequence sequence(generator.seed(), generator.next_stream());
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[sequence.below(i)]);
  return from_vector(order).to(device);
}

}  // namespace deft
