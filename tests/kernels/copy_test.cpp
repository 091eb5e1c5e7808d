// Kernels that move elements.
#include "deft/kernels/copy.h"

#include <cstdint>
#include <vector>

#include "catch.h"
#include "kernels/spaces.h"

using namespace deft;
using namespace deft::kernels;
using namespace deft::testing;

namespace {
constexpr Cpu cpu;
}

TEST_CASE("a Strided merges what it can") {
  const auto dense = make_space<1>({4, 1, 5, 6}, {{30, 30, 6, 1}});
  CHECK(dense.rank == 1);
  CHECK(dense.size[0] == 120);
  const auto transposed = make_space<1>({5, 4, 6}, {{6, 30, 1}});
  CHECK(transposed.rank == 3);
  CHECK(make_space<1>({1, 1}, {{7, 7}}).numel() == 1);
  CHECK(make_space<1>({4, 0, 5}, {{0, 5, 1}}).numel() == 0);
  CHECK_THROWS_AS(make_space<1>(Sizes(9, 2), {{1, 3, 9, 27, 81, 243, 729, 2187, 6561}}), Error);
}

TEST_CASE("copy_strided gathers permuted and broadcast inputs") {
  struct Case {
    Sizes sizes, strides;
  };
  const Case cases[] = {{{5, 4, 6}, {6, 30, 1}},
                        {{6, 5, 4}, {1, 24, 6}},
                        {{300, 200}, {1, 300}},
                        {{50, 3, 700}, {0, 700, 1}},
                        {{3, 1000, 2}, {2, 0, 1}},
                        {{}, {}},
                        {{2, 3, 4, 5, 2}, {1, 2, 0, 6, 30}}};
  const auto input = random_values<float>(60000, 1);
  for (const Case& c : cases) {
    std::vector<float> output(static_cast<std::size_t>(product(c.sizes)));
    copy_strided<float>(cpu, make_space<1>(c.sizes, {c.strides}), input.data(), output.data());
    std::size_t i = 0;
    for_each_index(c.sizes, [&](const Sizes& index) {
      REQUIRE(output[i++] == input[static_cast<std::size_t>(dot(index, c.strides))]);
    });
  }
}

TEST_CASE("copy_rows leaves the gaps alone") {
  for (std::int64_t row_size : {0, 1, 7, 20000}) {
    const std::int64_t rows = 5, in = row_size + 3, out = row_size + 2;
    const auto input = random_values<double>(rows * in, 2);
    std::vector<double> output(static_cast<std::size_t>(rows * out), -9.0);
    copy_rows<double>(cpu, rows, row_size, input.data(), in, output.data(), out);
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t j = 0; j < out; ++j) {
        const double expected = j < row_size ? input[static_cast<std::size_t>(row * in + j)] : -9.0;
        REQUIRE(output[static_cast<std::size_t>(row * out + j)] == expected);
      }
    }
  }
}

TEST_CASE("rows are picked, and their gradients added") {
  const std::vector<std::int64_t> index = {2, 0, 2, 2};
  for (std::int64_t row_size : {1, 3, 700}) {
    const auto input = random_values<double>(3 * row_size, 3), grad = random_values<double>(4 * row_size, 4);
    std::vector<double> output(grad.size()), grad_input(input.size(), -1.0);
    index_rows_forward<double>(cpu, 4, row_size, input.data(), index.data(), output.data());
    index_rows_backward<double>(cpu, 4, row_size, 3, grad.data(), index.data(), grad_input.data());
    const auto at = [&](const std::vector<double>& v, std::int64_t row, std::int64_t j) {
      return v[static_cast<std::size_t>(row * row_size + j)];
    };
    for (std::int64_t j = 0; j < row_size; ++j) {
      for (std::int64_t i = 0; i < 4; ++i)
        REQUIRE(at(output, i, j) == at(input, index[static_cast<std::size_t>(i)], j));
      REQUIRE(at(grad_input, 0, j) == at(grad, 1, j));
      REQUIRE(at(grad_input, 1, j) == 0);
      REQUIRE(at(grad_input, 2, j) == Approx(at(grad, 0, j) + at(grad, 2, j) + at(grad, 3, j)));
    }
  }
}
