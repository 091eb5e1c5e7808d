// Matrix products against three loops.
#include "deft/kernels/matmul.h"

#include <cstdint>
#include <vector>

#include "deft/kernels/parallel_for.h"

#include "catch.h"
#include "kernels/spaces.h"

using namespace deft;
using namespace deft::kernels;
using namespace deft::testing;

namespace {

constexpr Cpu cpu;

template <class T>
void check(const MatmulShape& s, std::int64_t matrices_a, std::int64_t matrices_b, bool with_bias, double tolerance) {
  const std::int64_t batches = s.batch.numel();
  const auto a = random_values<T>(matrices_a * s.m * s.k, 1), b = random_values<T>(matrices_b * s.k * s.n, 2);
  const auto bias = random_values<T>(s.n, 3);
  std::vector<T> output(static_cast<std::size_t>(batches * s.m * s.n), T(-7));
  matmul<T>(cpu, s, a.data(), b.data(), with_bias ? bias.data() : nullptr, output.data());
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    const T* left = a.data() + (matrices_a > 1 ? batch % matrices_a : 0) * s.m * s.k;
    const T* right = b.data() + (matrices_b > 1 ? batch / matrices_a : 0) * s.k * s.n;
    for (std::int64_t i = 0; i < s.m; ++i) {
      for (std::int64_t j = 0; j < s.n; ++j) {
        double sum = with_bias ? static_cast<double>(bias[static_cast<std::size_t>(j)]) : 0;
        for (std::int64_t k = 0; k < s.k; ++k) {
          sum += static_cast<double>(left[s.transpose_a ? k * s.m + i : i * s.k + k]) *
                 static_cast<double>(right[s.transpose_b ? j * s.k + k : k * s.n + j]);
        }
        const T found = output[static_cast<std::size_t>((batch * s.m + i) * s.n + j)];
        REQUIRE(static_cast<double>(found) == Approx(sum).epsilon(tolerance).margin(10 * tolerance));
      }
    }
  }
}

}  // namespace

TEST_CASE("matmul for every transposition") {
  for (bool transpose_a : {false, true}) {
    for (bool transpose_b : {false, true}) {
      for (const auto& [m, n, k] : {std::tuple{1, 1, 1}, {3, 5, 7}, {130, 9, 40}, {5, 600, 3}, {2, 3, 0}, {0, 3, 2}}) {
        const MatmulShape shape{m, n, k, transpose_a, transpose_b, {}};
        check<float>(shape, 1, 1, false, 1e-5);
        check<double>(shape, 1, 1, true, 1e-13);
      }
    }
  }
}

TEST_CASE("matmul broadcasts batches") {
  MatmulShape shape{3, 4, 5, false, true, {}};
  shape.batch = make_space<2>({2, 3}, {{0, 1}, {1, 0}});
  check<double>(shape, 3, 2, false, 1e-13);
  shape.batch = make_space<2>({0}, {{1}, {1}});
  check<double>(shape, 0, 0, false, 1e-13);
}

TEST_CASE("matmul does not depend on the number of threads") {
  const int before = num_threads();
  const MatmulShape shape{200, 300, 100, false, false, {}};
  const auto a = random_values<float>(200 * 100, 1), b = random_values<float>(100 * 300, 2);
  std::vector<float> one(200 * 300), three(one.size());
  set_num_threads(1);
  matmul<float>(cpu, shape, a.data(), b.data(), nullptr, one.data());
  set_num_threads(3);
  matmul<float>(cpu, shape, a.data(), b.data(), nullptr, three.data());
  set_num_threads(before);
  CHECK(one == three);
}
