// Kernels that move elements.
#include "deft/kernels/copy.h"

#include <cstdint>
#include <vector>

#include "deft/kernels/cuda/strided_index.h"

#include "catch.h"
#include "kernels/spaces.h"
#include "test_device.h"

using namespace deft;
using namespace deft::kernels;
using namespace deft::testing;

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

TEST_CASE("index arithmetic of CUDA kernels goes beyond 32 bits") {
  const std::int64_t big = std::int64_t{1} << 40;
  CHECK(quotient(big + 5, 3) == (big + 5) / 3);
  CHECK(quotient((std::int64_t{1} << 32) - 1, 7) == ((std::int64_t{1} << 32) - 1) / 7);
  CHECK(quotient(5, big) == 0);
  // A transposed and a broadcast operand of more than 2³² elements each.
  const std::int64_t rows = 70000, columns = 90000, planes = 3;
  const Sizes dense = {rows * columns, columns, 1}, transposed = {rows * columns, 1, rows}, broadcast = {0, columns, 1};
  const auto space = make_space<2>({planes, rows, columns}, {transposed, broadcast});
  for (const Sizes& index : {Sizes{0, 0, 0}, Sizes{2, 69999, 89999}, Sizes{1, 47722, 11111}}) {
    const auto offsets = offsets_at(space, dot(index, dense));
    CHECK(offsets.of[0] == dot(index, transposed));
    CHECK(offsets.of[1] == dot(index, broadcast));
  }
}

TEST_CASE("copies of every element size, in whole vectors and not") {
  const auto check = [](auto zero) {
    using T = decltype(zero);
    std::vector<T> input(64 * 96);
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<T>(i * 7 % 251);
    const Buffer<T> device_input(input);
    for (const std::int64_t columns : {64, 61}) {  // of a matrix of rows of 64
      const auto picked = output_of<T>(96 * columns, [&](auto device, T* out) {
        copy_rows<T>(device, 96, columns, device_input.data(), 64, out, columns);
      });
      const auto transposed = output_of<T>(96 * columns, [&](auto device, T* out) {
        copy_strided<T>(device, make_space<1>({columns, 96}, {{1, 64}}), device_input.data(), out);
      });
      for (std::int64_t row = 0; row < 96; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) {
          const T expected = input[static_cast<std::size_t>(row * 64 + column)];
          REQUIRE(picked[static_cast<std::size_t>(row * columns + column)] == expected);
          REQUIRE(transposed[static_cast<std::size_t>(column * 96 + row)] == expected);
        }
      }
    }
  };
  check(std::uint8_t());
  check(float());
  check(std::int64_t());
}

TEST_CASE("copy_strided gathers permuted and broadcast inputs") {
  struct Case {
    Sizes sizes, strides;
  };
  const Case cases[] = {{{5, 4, 6}, {6, 30, 1}},
                        {{6, 5, 4}, {1, 24, 6}},
                        {{300, 200}, {1, 300}},
                        {{3, 40, 5, 70}, {14000, 1, 2800, 40}},
                        {{33, 17, 31}, {527, 1, 17}},
                        {{50, 3, 700}, {0, 700, 1}},
                        {{3, 1000, 2}, {2, 0, 1}},
                        {{}, {}},
                        {{2, 3, 4, 5, 2}, {1, 2, 0, 6, 30}}};
  const auto input = random_values<float>(60000, 1);
  const Buffer<float> device_input(input);
  for (const Case& c : cases) {
    const auto output = output_of<float>(product(c.sizes), [&](auto device, float* out) {
      copy_strided<float>(device, make_space<1>(c.sizes, {c.strides}), device_input.data(), out);
    });
    std::size_t i = 0;
    for_each_index(c.sizes, [&](const Sizes& index) {
      REQUIRE(output[i++] == input[static_cast<std::size_t>(dot(index, c.strides))]);
    });
  }
}

TEST_CASE("copy_rows leaves the gaps alone") {
  struct Case {
    std::int64_t row_size, in_gap, out_gap;
  };
  for (const auto& [row_size, in_gap, out_gap] :
       {Case{0, 3, 2}, Case{1, 3, 2}, Case{7, 3, 2}, Case{20000, 3, 2}, Case{64, 16, 32}}) {
    const std::int64_t rows = 5, size = row_size, in = size + in_gap, out = size + out_gap;
    const auto input = random_values<double>(rows * in, 2);
    const Buffer<double> device_input(input);
    const auto output = output_of<double>(
        rows * out,
        [&](auto device, double* to) { copy_rows<double>(device, rows, size, device_input.data(), in, to, out); },
        -9.0);
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t j = 0; j < out; ++j) {
        const double expected = j < size ? input[static_cast<std::size_t>(row * in + j)] : -9.0;
        REQUIRE(output[static_cast<std::size_t>(row * out + j)] == expected);
      }
    }
  }
}

TEST_CASE("rows are picked, and their gradients added") {
  const std::vector<std::int64_t> index = {2, 0, 2, 2};
  const Buffer<std::int64_t> device_index(index);
  for (std::int64_t row_size : {1, 3, 700}) {
    const auto input = random_values<double>(3 * row_size, 3), grad = random_values<double>(4 * row_size, 4);
    const Buffer<double> device_input(input), device_grad(grad);
    const auto output = output_of<double>(4 * row_size, [&](auto device, double* out) {
      index_rows_forward<double>(device, 4, row_size, 3, device_input.data(), device_index.data(), out);
    });
    const auto grad_input = output_of<double>(
        3 * row_size,
        [&](auto device, double* out) {
          index_rows_backward<double>(device, 4, row_size, 3, device_grad.data(), device_index.data(), out);
        },
        -1.0);
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
