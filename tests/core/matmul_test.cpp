// Matrix products of tensors. The kernel is tested for itself; here shapes, gradients and errors.
#include "deft/core/matmul.h"

#include "deft/core/gradcheck.h"
#include "deft/core/random.h"
#include "deft/core/trace.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

Shape swapped(Shape shape, bool swap) {
  const std::int64_t rows = shape.size(-2), columns = shape.size(-1);
  if (swap) {
    shape.set(shape.dim() - 2, columns);
    shape.set(shape.dim() - 1, rows);
  }
  return shape;
}

}  // namespace

TEST_CASE("a product by hand") {
  const Tensor a = from_vector<float>({1, 2, 3, 4, 5, 6}, {2, 3}), b = from_vector<float>({1, 0, -1, 2, 1, 1}, {2, 3});
  CHECK(matmul(a, b, {.transpose_b = true}).to_vector<float>() == std::vector<float>{-2, 7, -2, 19});
  CHECK(matmul(a, b, {.transpose_a = true}).shape() == Shape{3, 3});
}

TEST_CASE("gradients of matmul for every transposition and batch") {
  struct Case {
    Shape a, b, result;
  };
  Generator generator(1);
  for (const auto& [a, b, expected] : {Case{{2, 3}, {3, 4}, {2, 4}},
                                       {{5, 2, 3}, {3, 4}, {5, 2, 4}},
                                       {{2, 3}, {2, 3, 2}, {2, 2, 2}},
                                       {{2, 1, 2, 3}, {3, 3, 2}, {2, 3, 2, 2}},
                                       {{0, 2, 3}, {3, 4}, {0, 2, 4}}}) {
    for (bool transpose_a : {false, true}) {
      for (bool transpose_b : {false, true}) {
        const MatmulOptions options{.transpose_a = transpose_a, .transpose_b = transpose_b};
        const TensorOptions leaf{.dtype = DType::float64, .requires_grad = true};
        const std::vector<Tensor> inputs = {randn(swapped(a, transpose_a), leaf, generator),
                                            randn(swapped(b, transpose_b), leaf, generator)};
        CHECK(matmul(inputs[0], inputs[1], options).shape() == expected);
        const auto result = gradcheck([&](const auto& x) { return matmul(x[0], x[1], options); }, inputs);
        INFO(result.message);
        CHECK(result.ok);
      }
    }
  }
}

TEST_CASE("matmul tells traces its multiply-adds") {
  const Trace trace;
  matmul(zeros({5, 2, 3}), zeros({3, 4}));
  matmul(zeros({2, 3}), zeros({2, 4}), {.transpose_a = true});
  CHECK(trace.ops().at(0).info.multiply_adds == 5 * 2 * 4 * 3);
  CHECK(trace.ops().at(1).info.multiply_adds == 3 * 4 * 2);
}

TEST_CASE("matmul errors") {
  CHECK_THROWS_WITH(matmul(zeros({3}), zeros({3, 2})), Contains("matmul: a is [3], expected at least two axes"));
  CHECK_THROWS_WITH(matmul(zeros({2, 3}), zeros({4, 3})), Contains("inner sizes 3 and 4 differ"));
  CHECK_THROWS_WITH(matmul(zeros({2, 2, 3}), zeros({3, 3, 4})), Contains("[2] and [3] do not broadcast"));
}
