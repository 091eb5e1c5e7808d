#include "deft/core/random.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "deft/core/dispatch.h"
#include "deft/kernels/random.h"
#include "deft/kernels/runtime/dispatch.h"

namespace deft {
namespace {

kernels::RandomStream next_stream(Generator& generator) { return {generator.seed(), generator.next_stream()}; }

}  // namespace

Tensor rand(const Shape& shape, const TensorOptions& options, Generator& generator) {
  Tensor result = empty(shape, options);
  dispatch_floating(result, "rand", [&]<class T>(auto place) {
    kernels::fill_uniform<T>(place, next_stream(generator), result.numel(), 0, 1, result.mutable_data<T>());
  });
  return result;
}

Tensor randn(const Shape& shape, const TensorOptions& options, Generator& generator) {
  Tensor result = empty(shape, options);
  dispatch_floating(result, "randn", [&]<class T>(auto place) {
    kernels::fill_normal<T>(place, next_stream(generator), result.numel(), 0, 1, result.mutable_data<T>());
  });
  return result;
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Device device, Generator& generator) {
  if (low >= high) throw Error(fmt::format("randint: low is {}, high is {}, expected low < high", low, high));
  Tensor result = empty(shape, {.dtype = DType::int64, .device = device});
  on_place(device, [&](auto place) {
    kernels::fill_randint(place, next_stream(generator), result.numel(), low, high,
                          result.mutable_data<std::int64_t>());
  });
  return result;
}

std::vector<std::int64_t> permutation(std::int64_t n, PhiloxSequence numbers) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[numbers.below(left)]);
  return order;
}

Tensor randperm(std::int64_t n, Device device, Generator& generator) {
  if (n < 0) throw Error(fmt::format("randperm: n is {}, expected at least 0", n));
  return from_vector(permutation(n, {generator.seed(), generator.next_stream()}), {n}, device);
}

}  // namespace deft
