// Rearranging elements: values, gradients, errors.
#include "deft/core/shape_ops.h"

#include "deft/core/autograd.h"
#include "deft/core/gradcheck.h"
#include "deft/core/random.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

namespace {

// [2, 3, 4] with element (i, j, k) = 100 i + 10 j + k.
Tensor numbered() {
  std::vector<double> values;
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 4; ++k) values.push_back(100 * i + 10 * j + k);
    }
  }
  return from_vector(values, {2, 3, 4});
}

std::vector<double> values(const Tensor& tensor) { return tensor.to_vector<double>(); }

}  // namespace

TEST_CASE("views share their elements") {
  Tensor x = numbered();
  const Tensor flat = reshape(x, {4, -1}), row = slice(x, 0, 1, 2), first = select(x, 0, -1);
  x.fill_(7);
  CHECK(flat.shape() == Shape{4, 6});
  CHECK(values(flat) == std::vector<double>(24, 7));
  CHECK(values(row) == std::vector<double>(12, 7));
  CHECK(first.shape() == Shape{3, 4});
  CHECK(values(first) == std::vector<double>(12, 7));
}

TEST_CASE("shapes of views") {
  const Tensor x = numbered();
  CHECK(flatten(x).shape() == Shape{24});
  CHECK(flatten(x, 1).shape() == Shape{2, 12});
  CHECK(flatten(x, 0, 1).shape() == Shape{6, 4});
  CHECK(flatten(zeros({})).shape() == Shape{1});
  CHECK(unsqueeze(x, 0).shape() == Shape{1, 2, 3, 4});
  CHECK(unsqueeze(x, -1).shape() == Shape{2, 3, 4, 1});
  CHECK(squeeze(unsqueeze(x, 2), 2).shape() == x.shape());
  CHECK(reshape(zeros({0, 3}), {-1, 3}).shape() == Shape{0, 3});
  CHECK(reshape(zeros({1}), {}).shape() == Shape{});
}

TEST_CASE("permute, slice, select and broadcast move the right elements") {
  const Tensor x = numbered();
  const Tensor p = permute(x, {2, 0, 1});
  CHECK(p.shape() == Shape{4, 2, 3});
  CHECK(values(select(select(p, 0, 3), 0, 1)) == std::vector<double>{103, 113, 123});
  CHECK(values(transpose(x, 1, -1)) == values(permute(x, {0, 2, 1})));
  CHECK(values(slice(slice(x, 1, -2, -1), 2, 1, 3)) == std::vector<double>{11, 12, 111, 112});
  CHECK(slice(x, 2, 4, 4).shape() == Shape{2, 3, 0});
  CHECK(values(broadcast_to(from_vector<double>({1, 2}, {2, 1}), {2, 2, 3})) ==
        std::vector<double>{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2});
}

TEST_CASE("cat and stack join on any axis") {
  const Tensor x = numbered();
  for (int axis = 0; axis < 3; ++axis) {
    CHECK(values(cat({slice(x, axis, 0, 1), slice(x, axis, 1, 1), slice(x, axis, 1, x.size(axis))}, axis)) ==
          values(x));
    std::vector<Tensor> parts;
    for (std::int64_t i = 0; i < x.size(axis); ++i) parts.push_back(select(x, axis, i));
    CHECK(values(stack(parts, axis)) == values(x));
  }
  CHECK(stack({zeros({2}), zeros({2}), zeros({2})}, -1).shape() == Shape{2, 3});
}

TEST_CASE("gradients of rearrangements") {
  Generator generator(1);
  const TensorOptions leaf{.dtype = DType::float64, .requires_grad = true};
  const std::vector<Tensor> inputs = {randn({2, 3, 4}, leaf, generator), randn({2, 3, 4}, leaf, generator)};
  const Tensor index = from_vector<std::int64_t>({1, 0, 1, 1});
  using Function = Tensor (*)(const std::vector<Tensor>&, const Tensor&);
  const Function functions[] = {
      [](const auto& x, const auto&) {
        return reshape(x[0], {6, 4});
      },
      [](const auto& x, const auto&) { return flatten(x[0], 1); },
      [](const auto& x, const auto&) { return squeeze(unsqueeze(x[0], 1), 1); },
      [](const auto& x, const auto&) { return x[0].clone(); },
      [](const auto& x, const auto&) {
        return permute(x[0], {2, 0, 1});
      },
      [](const auto& x, const auto&) { return transpose(x[0], 0, 2); },
      [](const auto& x, const auto&) {
        return cat({x[0], slice(x[1], 1, 0, 2), x[0]}, 1);
      },
      [](const auto& x, const auto&) {
        return stack({x[0], x[1]}, 1);
      },
      [](const auto& x, const auto&) { return slice(x[0], 2, 1, 3); },
      [](const auto& x, const auto&) { return slice(x[0], 0, 1, 2); },
      [](const auto& x, const auto&) { return select(x[0], 1, 2); },
      [](const auto& x, const auto&) {
        return broadcast_to(slice(x[0], 1, 0, 1), {2, 2, 5, 4});
      },
      [](const auto& x, const auto& rows) { return index_rows(x[0], rows); },
  };
  for (const Function function : functions) {
    const auto result = gradcheck([&](const auto& x) { return function(x, index); }, inputs);
    INFO(result.message);
    CHECK(result.ok);
  }
}

TEST_CASE("index_rows picks rows of any type") {
  const Tensor bytes = from_vector<std::uint8_t>({1, 2, 3, 4, 5, 6}, {3, 2});
  const Tensor rows = index_rows(bytes, from_vector<std::int64_t>({2, 2, 0}));
  CHECK(rows.to_vector<std::uint8_t>() == std::vector<std::uint8_t>{5, 6, 5, 6, 1, 2});
  CHECK(index_rows(bytes, from_vector<std::int64_t>({})).shape() == Shape{0, 2});
}

TEST_CASE("rearrangement errors") {
  const Tensor x = zeros({2, 3});
  CHECK_THROWS_WITH(reshape(x, {4, -1}), "reshape: shape is [4, -1], which 6 elements of [2, 3] do not fill");
  CHECK_THROWS_WITH(reshape(x, {5}), Contains("do not fill"));
  CHECK_THROWS_AS(reshape(x, {-1, -1}), Error);
  CHECK_THROWS_WITH(permute(x, {0, 0}), "permute: axes are [0, 0], expected each axis of [2, 3] once");
  CHECK_THROWS_WITH(permute(x, {0}), Contains("expected each axis"));
  CHECK_THROWS_WITH(slice(x, 1, 1, 4), Contains("slice: begin is 1, end is 4, but axis 1 of [2, 3] has size 3"));
  CHECK_THROWS_WITH(select(x, 0, 2), Contains("select: index is 2"));
  CHECK_THROWS_WITH(squeeze(x, 0), Contains("has size 2, expected 1"));
  CHECK_THROWS_WITH(flatten(x, 1, 0), Contains("flatten: start_axis 1"));
  CHECK_THROWS_WITH(broadcast_to(x, {2, 1}), Contains("broadcast_to"));
  CHECK_THROWS_WITH(cat({}), Contains("cat: no tensors"));
  CHECK_THROWS_WITH(cat({x, zeros({3, 2})}, 0), Contains("cat: tensor 1 is [3, 2], tensor 0 is [2, 3]"));
  CHECK_THROWS_WITH(stack({x, zeros({3})}), Contains("stack: tensor 1 is [3]"));
  CHECK_THROWS_WITH(index_rows(x, from_vector<std::int64_t>({0, 2})).to_vector<float>(),
                    Contains("index_rows: index[1] is 2, expected 0 to 1"));
  CHECK_THROWS_WITH(index_rows(x, x), Contains("index is float32, expected int64"));
}
