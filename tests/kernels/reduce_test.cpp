// Reductions against a naive walk, for every set of axes, and their independence of the number of threads.
#include "deft/kernels/reduce.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "deft/kernels/runtime/parallel_for.h"

#include "catch.h"
#include "kernels/spaces.h"
#include "test_device.h"

using namespace deft;
using namespace deft::kernels;
using namespace deft::testing;

namespace {

// Axis i of `sizes` is reduced where bit i of `axes` is set.
struct Reduction {
  Sizes sizes, strides, output_strides, position_strides;
  std::int64_t outputs = 1, positions = 1;

  Reduction(const Sizes& shape, unsigned axes)
      : sizes(shape), strides(shape.size()), output_strides(shape.size()), position_strides(shape.size()) {
    std::int64_t step = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      const bool reduced = (axes >> i & 1) != 0;
      strides[i] = step;
      output_strides[i] = reduced ? 0 : outputs;
      position_strides[i] = reduced ? positions : 0;
      step *= shape[i];
      (reduced ? positions : outputs) *= shape[i];
    }
  }

  Strided<2> space() const { return make_space<2>(sizes, {strides, output_strides}); }
};

template <class T>
std::vector<T> reduced(ReduceOp op, const Reduction& r, const Buffer<T>& x) {
  return output_of<T>(
      r.outputs, [&](auto device, T* output) { reduce<T>(device, op, r.space(), x.data(), output); }, T(9));
}

template <class T>
std::vector<std::int64_t> positions_of_maxima(const Reduction& r, const Buffer<T>& x) {
  return output_of<std::int64_t>(
      r.outputs, [&](auto device, std::int64_t* output) { argmax<T>(device, r.space(), x.data(), output); }, -9);
}

template <class T>
void check(const Reduction& r, double tolerance) {
  const auto x = random_values<T>(product(r.sizes), 1, -100, 100);
  const auto outputs = static_cast<std::size_t>(r.outputs);
  std::vector<double> sum(outputs, 0.0), largest(outputs, -1e9), smallest(outputs, 1e9);
  std::vector<std::int64_t> where_largest(outputs, -1);
  for_each_index(r.sizes, [&](const Sizes& index) {
    const auto out = static_cast<std::size_t>(dot(index, r.output_strides));
    const auto value = static_cast<double>(x[static_cast<std::size_t>(dot(index, r.strides))]);
    sum[out] += value;
    smallest[out] = std::min(smallest[out], value);
    if (value > largest[out]) where_largest[out] = dot(index, r.position_strides);
    largest[out] = std::max(largest[out], value);
  });
  const Buffer<T> device_x(x);
  const auto sums = reduced(ReduceOp::sum, r, device_x), maxima = reduced(ReduceOp::max, r, device_x);
  const auto minima = reduced(ReduceOp::min, r, device_x);
  REQUIRE(positions_of_maxima(r, device_x) == where_largest);
  const double scale = 100 * std::sqrt(static_cast<double>(r.positions));
  for (std::size_t i = 0; i < outputs; ++i) {
    REQUIRE(static_cast<double>(sums[i]) == Approx(sum[i]).epsilon(tolerance).margin(scale * tolerance));
    REQUIRE(static_cast<double>(maxima[i]) == largest[i]);
    REQUIRE(static_cast<double>(minima[i]) == smallest[i]);
  }
  if constexpr (std::is_floating_point_v<T>) {
    const auto means = reduced(ReduceOp::mean, r, device_x);
    for (std::size_t i = 0; i < outputs; ++i) {
      const double mean = sum[i] / static_cast<double>(r.positions);
      REQUIRE(static_cast<double>(means[i]) == Approx(mean).epsilon(tolerance).margin(tolerance));
    }
  }
}

}  // namespace

TEST_CASE("reductions over every set of axes") {
  for (const Sizes& sizes :
       {Sizes{}, Sizes{1}, Sizes{300}, Sizes{5, 7}, Sizes{3, 1, 130}, Sizes{2, 3, 4, 5}, Sizes{130, 3, 140}}) {
    for (unsigned axes = 0; axes < 1u << sizes.size(); ++axes) {
      const Reduction reduction(sizes, axes);
      check<float>(reduction, 1e-6);
      check<double>(reduction, 1e-13);
      check<std::int64_t>(reduction, 0);
    }
  }
}

TEST_CASE("long reductions") {
  for (const auto& [sizes, axes] : {std::pair<Sizes, unsigned>{{100000}, 1},
                                    {{50000, 3}, 1},
                                    {{2, 70000}, 2},
                                    {{7, 1500}, 1},
                                    {{200, 7, 64}, 5},
                                    {{3, 30000, 2}, 2}}) {
    check<float>(Reduction(sizes, axes), 1e-6);
  }
}

TEST_CASE("reductions do not depend on the number of threads") {
  const int before = num_threads();
  for (const auto& [sizes, axes] :
       {std::pair<Sizes, unsigned>{{300000}, 1}, {{9000, 32}, 1}, {{9000, 32}, 2}, {{40, 90, 32}, 5}}) {
    const Reduction r(sizes, axes);
    const auto x = random_values<float>(product(sizes), 2);
    std::vector<float> one(static_cast<std::size_t>(r.outputs)), three(one.size());
    const auto sum = [&](std::vector<float>& output) {
      on_place(Device::cpu(),
               [&](auto place) { reduce<float>(place, ReduceOp::sum, r.space(), x.data(), output.data()); });
    };
    set_num_threads(1);
    sum(one);
    set_num_threads(3);
    sum(three);
    CHECK(one == three);
  }
  set_num_threads(before);
}

TEST_CASE("float32 sums are accurate") {
  const Buffer<float> x(std::vector<float>(10000000, 0.1f));
  const auto sum = reduced(ReduceOp::sum, Reduction({10000000}, 1), x);
  CHECK(sum[0] == static_cast<float>(1e7 * static_cast<double>(0.1f)));
}

TEST_CASE("extrema find NaN and the first of equals") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> x(1000, 1.0f);
  const Reduction all({1000}, 1);
  CHECK(positions_of_maxima<float>(all, Buffer<float>(x))[0] == 0);
  x[700] = x[900] = 2;
  CHECK(positions_of_maxima<float>(all, Buffer<float>(x))[0] == 700);
  x[333] = x[800] = nan;
  CHECK(positions_of_maxima<float>(all, Buffer<float>(x))[0] == 333);
  for (ReduceOp op : {ReduceOp::max, ReduceOp::min, ReduceOp::sum}) {
    CHECK(std::isnan(reduced<float>(op, all, Buffer<float>(x))[0]));
  }
  const Buffer<float> lowest(std::vector<float>(200, -std::numeric_limits<float>::infinity()));
  CHECK(positions_of_maxima<float>(Reduction({200}, 1), lowest)[0] == 0);
}

TEST_CASE("sums over nothing are zero") {
  const Reduction r({3, 0}, 2);
  const Buffer<float> nothing({});
  CHECK(reduced(ReduceOp::sum, r, nothing) == std::vector<float>(3, 0.0f));
  CHECK(std::isnan(reduced(ReduceOp::mean, r, nothing)[0]));
  CHECK(reduced(ReduceOp::sum, Reduction({0, 3}, 2), nothing).empty());
}
