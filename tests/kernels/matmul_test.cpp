// Matrix products against three loops.
#include "deft/kernels/matmul.h"

#include <cstdint>
#include <vector>

#include "deft/kernels/runtime/parallel_for.h"

#include "catch.h"
#include "kernels/spaces.h"
#include "test_device.h"

using namespace deft;
using namespace deft::kernels;
using namespace deft::testing;

namespace {

/// The product on the test device; `bias` may be empty.
template <class T>
std::vector<T> run(const MatmulShape& s, const std::vector<T>& a, const std::vector<T>& b, const std::vector<T>& bias) {
  const Buffer<T> left(a), right(b), added(bias);
  // Preset to garbage, since the kernel overwrites.
  Buffer<T> output(std::vector<T>(static_cast<std::size_t>(s.batch.numel() * s.m * s.n), T(-7)));
  on_test_device([&](auto place) {
    matmul<T>(place, s, left.data(), right.data(), bias.empty() ? nullptr : added.data(), output.data());
  });
  return output.values();
}

/// The axes of a batch, and how many matrices a and b move on along each.
struct Batch {
  Sizes sizes, a, b;
};

/// Matrices that an operand has if it ends where the batch does.
std::int64_t matrices(const Batch& batch, const Sizes& strides) {
  Sizes last = batch.sizes;
  for (std::int64_t& size : last) --size;
  return product(batch.sizes) == 0 ? 0 : dot(last, strides) + 1;
}

template <class T>
void check(MatmulShape s, const Batch& batch, bool with_bias, double cpu_tolerance) {
  const double tolerance = tolerance_on_device<T>(cpu_tolerance);
  s.batch = make_space<2>(batch.sizes, {batch.a, batch.b});
  const auto a = random_values<T>(matrices(batch, batch.a) * s.m * s.k, 1);
  const auto b = random_values<T>(matrices(batch, batch.b) * s.k * s.n, 2);
  const auto bias = random_values<T>(s.n, 3);
  const std::vector<T> output = run(s, a, b, with_bias ? bias : std::vector<T>());
  const T* found = output.data();
  for_each_index(batch.sizes, [&](const Sizes& index) {
    const T* left = a.data() + dot(index, batch.a) * s.m * s.k;
    const T* right = b.data() + dot(index, batch.b) * s.k * s.n;
    for (std::int64_t i = 0; i < s.m; ++i) {
      for (std::int64_t j = 0; j < s.n; ++j) {
        double sum = with_bias ? static_cast<double>(bias[static_cast<std::size_t>(j)]) : 0;
        for (std::int64_t k = 0; k < s.k; ++k) {
          sum += static_cast<double>(left[s.transpose_a ? k * s.m + i : i * s.k + k]) *
                 static_cast<double>(right[s.transpose_b ? j * s.k + k : k * s.n + j]);
        }
        REQUIRE(static_cast<double>(*found++) == Approx(sum).epsilon(tolerance).margin(10 * tolerance));
      }
    }
  });
}

}  // namespace

TEST_CASE("matmul for every transposition") {
  for (bool transpose_a : {false, true}) {
    for (bool transpose_b : {false, true}) {
      for (const auto& [m, n, k] : {std::tuple{1, 1, 1}, {3, 5, 7}, {130, 9, 40}, {5, 600, 3}, {2, 3, 0}, {0, 3, 2}}) {
        const MatmulShape shape{m, n, k, transpose_a, transpose_b, {}};
        check<float>(shape, {}, false, 1e-5);
        check<double>(shape, {}, true, 1e-13);
      }
    }
  }
}

TEST_CASE("matmul broadcasts batches") {
  const MatmulShape shape{3, 4, 5, false, true, {}};
  for (bool with_bias : {false, true}) {
    check<double>(shape, {{6}, {1}, {1}}, with_bias, 1e-13);
    check<double>(shape, {{6}, {0}, {1}}, with_bias, 1e-13);
    check<double>(shape, {{2, 3}, {0, 1}, {1, 0}}, with_bias, 1e-13);
    check<double>(shape, {{5, 2}, {0, 1}, {1, 0}}, with_bias, 1e-13);
    check<double>(shape, {{2, 4, 3}, {0, 3, 1}, {3, 0, 1}}, with_bias, 1e-13);
    check<double>(shape, {{0}, {1}, {1}}, with_bias, 1e-13);
  }
}

TEST_CASE("matmul does not depend on the number of threads") {
  const int before = num_threads();
  const MatmulShape shape{200, 300, 100, false, false, {}};
  const auto a = random_values<float>(200 * 100, 1), b = random_values<float>(100 * 300, 2);
  set_num_threads(1);
  const std::vector<float> one = run(shape, a, b, {});
  set_num_threads(3);
  const std::vector<float> three = run(shape, a, b, {});
  set_num_threads(before);
  CHECK(one == three);
}
