// Elementwise and activation kernels against the C++ functions that define them, over broadcast shapes.
#include "deft/kernels/elementwise.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.h"
#include "kernels/spaces.h"
#include "test_device.h"

using namespace deft;
using namespace deft::kernels;
using namespace deft::testing;

namespace {

double binary_reference(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::add:
      return a + b;
    case BinaryOp::sub:
      return a - b;
    case BinaryOp::mul:
      return a * b;
    case BinaryOp::div:
      return a / b;
    case BinaryOp::pow:
      return std::pow(a, b);
    case BinaryOp::minimum:
      return std::fmin(a, b);
    case BinaryOp::maximum:
      return std::fmax(a, b);
  }
  return 0;
}

constexpr BinaryOp binary_ops[] = {BinaryOp::add, BinaryOp::sub,     BinaryOp::mul,    BinaryOp::div,
                                   BinaryOp::pow, BinaryOp::minimum, BinaryOp::maximum};

struct Broadcast {
  Sizes result, a, b;
};

const Broadcast broadcasts[] = {{{}, {}, {}},
                                {{7}, {7}, {7}},
                                {{0, 3}, {0, 3}, {3}},
                                {{40000}, {40000}, {1}},
                                {{700, 32}, {700, 32}, {32}},
                                {{700, 32}, {700, 1}, {700, 32}},
                                {{3, 2500, 5}, {3, 1, 5}, {1, 2500, 1}},
                                {{2, 3, 4, 5}, {4, 1}, {2, 1, 1, 5}},
                                {{2, 1, 6, 3}, {2, 1, 1, 3}, {6, 1}}};

template <class T>
void check_binary(BinaryOp op, const Broadcast& shapes, double tolerance) {
  const auto a = random_values<T>(product(shapes.a), 1, 0.5, 2), b = random_values<T>(product(shapes.b), 2, 0.5, 2);
  const Sizes sa = broadcast_strides(shapes.a, shapes.result.size());
  const Sizes sb = broadcast_strides(shapes.b, shapes.result.size());
  const Buffer<T> device_a(a), device_b(b);
  const auto output = output_of<T>(product(shapes.result), [&](auto device, T* out) {
    binary_forward<T>(device, op, make_space<2>(shapes.result, {sa, sb}), device_a.data(), device_b.data(), out);
  });
  std::size_t i = 0;
  for_each_index(shapes.result, [&](const Sizes& index) {
    const double x = a[static_cast<std::size_t>(dot(index, sa))], y = b[static_cast<std::size_t>(dot(index, sb))];
    REQUIRE(output[i++] == Approx(binary_reference(op, x, y)).epsilon(tolerance));
  });
}

}  // namespace

TEST_CASE("binary kernels broadcast like NumPy") {
  for (const Broadcast& shapes : broadcasts) {
    for (BinaryOp op : binary_ops) {
      check_binary<float>(op, shapes, 1e-6);
      check_binary<double>(op, shapes, 1e-14);
    }
  }
}

TEST_CASE("binary gradients are the derivatives") {
  const Broadcast shapes{{3, 50, 4}, {50, 1}, {3, 1, 4}};
  const auto a = random_values<double>(50, 1, 0.5, 2), b = random_values<double>(12, 2, 0.5, 2);
  const auto g = random_values<double>(600, 3);
  const Sizes sa = broadcast_strides(shapes.a, 3), sb = broadcast_strides(shapes.b, 3);
  const auto space = make_space<2>(shapes.result, {sa, sb});
  const Buffer<double> device_a(a), device_b(b), device_g(g);
  const double h = 1e-6;
  for (BinaryOp op : binary_ops) {
    if (op == BinaryOp::add || op == BinaryOp::sub) continue;
    const auto grad_a = output_of<double>(600, [&](auto device, double* out) {
      binary_backward_a<double>(device, op, space, device_g.data(), device_a.data(), device_b.data(), out);
    });
    const auto grad_b = output_of<double>(600, [&](auto device, double* out) {
      binary_backward_b<double>(device, op, space, device_g.data(), device_a.data(), device_b.data(), out);
    });
    std::size_t i = 0;
    for_each_index(shapes.result, [&](const Sizes& index) {
      const double x = a[static_cast<std::size_t>(dot(index, sa))], y = b[static_cast<std::size_t>(dot(index, sb))];
      const auto f = [&](double u, double v) { return binary_reference(op, u, v); };
      CHECK(grad_a[i] == Approx(g[i] * (f(x + h, y) - f(x - h, y)) / (2 * h)).epsilon(1e-7).margin(1e-8));
      CHECK(grad_b[i] == Approx(g[i] * (f(x, y + h) - f(x, y - h)) / (2 * h)).epsilon(1e-7).margin(1e-8));
      ++i;
    });
  }
}

TEST_CASE("minimum, maximum and clamp propagate NaN, and ties share the gradient") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Buffer<double> a({nan, 1, 3}), b({1, nan, 3}), g({1, 1, 4});
  const auto space = make_space<2>({3}, {{1}, {1}});
  for (BinaryOp op : {BinaryOp::minimum, BinaryOp::maximum}) {
    const auto out = output_of<double>(
        3, [&](auto device, double* to) { binary_forward<double>(device, op, space, a.data(), b.data(), to); });
    CHECK(std::isnan(out[0]));
    CHECK(std::isnan(out[1]));
    const auto grad_a = output_of<double>(3, [&](auto device, double* to) {
      binary_backward_a<double>(device, op, space, g.data(), a.data(), b.data(), to);
    });
    CHECK(grad_a[2] == 2);
    const auto grad_b = output_of<double>(3, [&](auto device, double* to) {
      binary_backward_b<double>(device, op, space, g.data(), a.data(), b.data(), to);
    });
    CHECK(grad_b[2] == 2);
  }
  const Buffer<double> x({nan, -3, 0.25, 3}), ones(std::vector<double>(4, 1.0));
  const auto clamped = output_of<double>(4, [&](auto device, double* to) {
    unary_forward<double>(device, {UnaryOp::clamp, -1, 1}, 4, x.data(), to);
  });
  CHECK(std::isnan(clamped[0]));
  CHECK(clamped[1] == -1);
  CHECK(clamped[2] == 0.25);
  CHECK(clamped[3] == 1);
  const auto grad_x = output_of<double>(4, [&](auto device, double* to) {
    unary_backward<double>(device, {UnaryOp::clamp, -1, 1}, 4, ones.data(), x.data(), to);
  });
  CHECK(grad_x == std::vector<double>{0, 0, 1, 0});
}

TEST_CASE("pow has PyTorch's gradients at zero") {
  const Buffer<double> a({0, 0, 3}), b({0, 2, 0}), g({1, 1, 1});
  const auto space = make_space<2>({3}, {{1}, {1}});
  const auto grad_a = output_of<double>(3, [&](auto device, double* to) {
    binary_backward_a<double>(device, BinaryOp::pow, space, g.data(), a.data(), b.data(), to);
  });
  CHECK(grad_a == std::vector<double>{0, 0, 0});
  const auto grad_b = output_of<double>(3, [&](auto device, double* to) {
    binary_backward_b<double>(device, BinaryOp::pow, space, g.data(), a.data(), b.data(), to);
  });
  CHECK(grad_b[0] == 0);
  CHECK(grad_b[1] == 0);
  CHECK(grad_b[2] == Approx(std::log(3.0)));
}

TEST_CASE("comparisons, where, casts and integer arithmetic") {
  const Buffer<std::int64_t> a({1, 2, 3}), b({2});
  const auto space = make_space<2>({3}, {{1}, {0}});
  const auto compared = [&](CompareOp op) {
    const auto holds = output_of<std::uint8_t>(
        3, [&](auto device, std::uint8_t* out) { compare<std::int64_t>(device, op, space, a.data(), b.data(), out); });
    return std::vector<int>(holds.begin(), holds.end());
  };
  CHECK(compared(CompareOp::eq) == std::vector<int>{0, 1, 0});
  CHECK(compared(CompareOp::ne) == std::vector<int>{1, 0, 1});
  CHECK(compared(CompareOp::lt) == std::vector<int>{1, 0, 0});
  CHECK(compared(CompareOp::le) == std::vector<int>{1, 1, 0});
  CHECK(compared(CompareOp::gt) == std::vector<int>{0, 0, 1});
  CHECK(compared(CompareOp::ge) == std::vector<int>{0, 1, 1});

  const Buffer<std::uint8_t> condition({0, 1, 1});
  const auto chosen = output_of<std::int64_t>(3, [&](auto device, std::int64_t* out) {
    where<std::int64_t>(device, make_space<3>({3}, {{1}, {1}, {0}}), condition.data(), a.data(), b.data(), out);
  });
  CHECK(chosen == std::vector<std::int64_t>{2, 2, 3});
  const auto binary = [&](BinaryOp op) {
    return output_of<std::int64_t>(3, [&](auto device, std::int64_t* out) {
      binary_forward<std::int64_t>(device, op, space, a.data(), b.data(), out);
    });
  };
  CHECK(binary(BinaryOp::mul) == std::vector<std::int64_t>{2, 4, 6});
  CHECK_THROWS_AS(binary(BinaryOp::div), Error);

  const Buffer<float> x({1.75f, 2.0f, 200.0f});
  const auto bytes = output_of<std::uint8_t>(
      3, [&](auto device, std::uint8_t* out) { cast<float, std::uint8_t>(device, 3, x.data(), out); });
  CHECK(bytes == std::vector<std::uint8_t>{1, 2, 200});
}

TEST_CASE("in-place kernels work on long arrays") {
  const Buffer<float> x(std::vector<float>(50001, 2.0f));
  for (const std::int64_t offset : {0, 1}) {  // at a whole vector and in the middle of one
    const auto y = output_of<float>(50001, [&](auto device, float* out) {
      fill<float>(device, 50001 - offset, 3.0f, out + offset);
      add_scaled<float>(device, 50001 - offset, 0.5f, x.data() + offset, out + offset);
    });
    std::vector<float> expected(50001, 4.0f);
    if (offset == 1) expected[0] = 0;
    CHECK(y == expected);
  }
}

TEST_CASE("functions of one argument and their gradients") {
  struct Case {
    const char* name;
    Unary unary;
    double (*function)(double);
    double low, high;
    double tolerance = 1e-13, of_gradient = 1e-6;
  };
  const Case cases[] = {
      {"neg", UnaryOp::neg, [](double x) { return -x; }, -2, 2, 1e-14, 1e-7},
      {"abs", UnaryOp::abs, [](double x) { return std::abs(x); }, -2, 2, 1e-14, 1e-7},
      {"exp", UnaryOp::exp, [](double x) { return std::exp(x); }, -2, 2, 1e-14, 1e-7},
      {"log", UnaryOp::log, [](double x) { return std::log(x); }, 0.1, 2, 1e-14, 1e-7},
      {"log1p", UnaryOp::log1p, [](double x) { return std::log1p(x); }, -0.9, 2},
      {"sqrt", UnaryOp::sqrt, [](double x) { return std::sqrt(x); }, 0.1, 2, 1e-14, 1e-7},
      {"clamp", {UnaryOp::clamp, -1, 2}, [](double x) { return std::min(std::max(x, -1.0), 2.0); }, -4, 4},
      {"relu", UnaryOp::relu, [](double x) { return x > 0 ? x : 0; }, -4, 4},
      {"leaky_relu", {UnaryOp::leaky_relu, 0.1}, [](double x) { return x > 0 ? x : 0.1 * x; }, -4, 4},
      {"elu", {UnaryOp::elu, 0.7}, [](double x) { return x > 0 ? x : 0.7 * std::expm1(x); }, -4, 4},
      {"sigmoid", UnaryOp::sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -4, 4},
      {"tanh", UnaryOp::tanh, [](double x) { return std::tanh(x); }, -4, 4},
      {"gelu", UnaryOp::gelu, [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }, -4, 4},
      {"gelu_tanh", UnaryOp::gelu_tanh,
       [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * std::pow(x, 3)))); }, -4,
       4},
  };
  const double h = 1e-6;
  const std::int64_t n = 203;
  for (const Case& c : cases) {
    INFO(c.name);
    const auto x = random_values<double>(n, 4, c.low, c.high), g = random_values<double>(n, 5);
    const Buffer<double> device_x(x), device_g(g);
    const auto y = output_of<double>(
        n, [&](auto device, double* out) { unary_forward<double>(device, c.unary, n, device_x.data(), out); });
    const Buffer<double> saved(backward_reads_output(c.unary.op) ? y : x);
    const auto grad = output_of<double>(n, [&](auto device, double* out) {
      unary_backward<double>(device, c.unary, n, device_g.data(), saved.data(), out);
    });
    for (std::size_t i = 0; i < x.size(); ++i) {
      REQUIRE(y[i] == Approx(c.function(x[i])).epsilon(c.tolerance).margin(c.tolerance < 1e-13 ? 0 : 1e-14));
      const double slope = (c.function(x[i] + h) - c.function(x[i] - h)) / (2 * h);
      REQUIRE(grad[i] == Approx(g[i] * slope).epsilon(c.of_gradient).margin(1e-8));
    }
  }
}

TEST_CASE("activations keep NaN and saturate without it") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const Buffer<float> x({-inf, -1000, 0, 1000, inf, nan});
  const auto check = [&](const Unary& unary, const std::vector<float>& expected) {
    auto y =
        output_of<float>(6, [&](auto device, float* out) { unary_forward<float>(device, unary, 6, x.data(), out); });
    CHECK(std::isnan(y.back()));
    y.pop_back();
    CHECK(y == expected);
  };
  check(UnaryOp::relu, {0, 0, 0, 1000, inf});
  check({UnaryOp::elu, 0.5}, {-0.5f, -0.5f, 0, 1000, inf});
  check(UnaryOp::sigmoid, {0, 0, 0.5f, 1, 1});
  check(UnaryOp::tanh, {-1, -1, 0, 1, 1});
}

TEST_CASE("activations of values whose squares float32 cannot hold have gradients") {
  const Buffer<float> x({-3e38f, -1e20f, -150, 150, 1e20f, 3e38f}), g(std::vector<float>(6, 2));
  for (const UnaryOp op : {UnaryOp::relu, UnaryOp::gelu, UnaryOp::gelu_tanh}) {
    const Buffer<float> y(
        output_of<float>(6, [&](auto device, float* out) { unary_forward<float>(device, op, 6, x.data(), out); }));
    CHECK(y.values() == std::vector<float>{0, 0, 0, 150, 1e20f, 3e38f});
    const float* saved = backward_reads_output(op) ? y.data() : x.data();
    const auto grad = output_of<float>(
        6, [&](auto device, float* out) { unary_backward<float>(device, op, 6, g.data(), saved, out); });
    CHECK(grad == std::vector<float>{0, 0, 0, 2, 2, 2});
  }
}

TEST_CASE("float32 functions are as accurate as float32 allows") {
  std::vector<float> x = random_values<float>(20000, 8, -87, 88);
  for (float small : random_values<float>(20000, 9, -3, 3)) x.push_back(small);
  for (float tiny : random_values<float>(2000, 10, -1e-6, 1e-6)) x.push_back(tiny);
  const Buffer<float> device_x(x);
  const auto n = static_cast<std::int64_t>(x.size());
  const auto check = [&](const char* name, double margin, const Unary& unary, double (*exact)(double)) {
    const auto y = output_of<float>(
        n, [&](auto device, float* out) { unary_forward<float>(device, unary, n, device_x.data(), out); });
    for (std::size_t i = 0; i < x.size(); ++i) {
      INFO(name << " of " << x[i]);
      const double expected = exact(static_cast<double>(x[i]));
      REQUIRE(static_cast<double>(y[i]) == Approx(expected).epsilon(margin > 0 ? margin : 3e-7).margin(margin));
    }
  };
  check("exp", 0, UnaryOp::exp, [](double v) { return std::exp(v); });
  check("elu", 0, {UnaryOp::elu, 1}, [](double v) { return v > 0 ? v : std::expm1(v); });
  check("tanh", 0, UnaryOp::tanh, [](double v) { return std::tanh(v); });
  check("sigmoid", 0, UnaryOp::sigmoid, [](double v) { return 1 / (1 + std::exp(-v)); });
  check("gelu", 5e-7, UnaryOp::gelu, [](double v) { return v / 2 * std::erfc(-v / std::sqrt(2.0)); });
}

TEST_CASE("float32 exp at the ends of its range") {
  const float inf = std::numeric_limits<float>::infinity();
  const Buffer<float> x({-inf, -110, -100, 88.7f, 88.8f, 1000, inf, std::numeric_limits<float>::quiet_NaN()});
  const auto y = output_of<float>(
      8, [&](auto device, float* out) { unary_forward<float>(device, UnaryOp::exp, 8, x.data(), out); });
  CHECK(y[0] == 0);
  CHECK(y[1] == 0);
  CHECK(y[2] == Approx(std::exp(-100.0)).epsilon(0.02));  // denormal: 27 units of 2^-149
  CHECK(y[3] == Approx(std::exp(static_cast<double>(88.7f))).epsilon(1e-6));
  CHECK(y[4] == inf);
  CHECK(y[5] == inf);
  CHECK(y[6] == inf);
  CHECK(std::isnan(y[7]));
}
