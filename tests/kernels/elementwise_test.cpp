// Elementwise and activation kernels against the C++ functions that define them, over broadcast shapes.
#include "deft/kernels/elementwise.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "deft/kernels/activation.h"
#include "deft/kernels/parallel_for.h"

#include "catch.h"
#include "kernels/spaces.h"

using namespace deft;
using namespace deft::kernels;
using namespace deft::testing;

namespace {

constexpr Cpu cpu;

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
  std::vector<T> output(static_cast<std::size_t>(product(shapes.result)));
  binary_forward<T>(cpu, op, make_space<2>(shapes.result, {sa, sb}), a.data(), b.data(), output.data());
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
  std::vector<double> grad_a(600), grad_b(600);
  const double h = 1e-6;
  for (BinaryOp op : binary_ops) {
    if (op == BinaryOp::add || op == BinaryOp::sub) continue;
    binary_backward_a<double>(cpu, op, space, g.data(), a.data(), b.data(), grad_a.data());
    binary_backward_b<double>(cpu, op, space, g.data(), a.data(), b.data(), grad_b.data());
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
  const std::vector<double> a = {nan, 1, 3}, b = {1, nan, 3}, g = {1, 1, 4};
  const auto space = make_space<2>({3}, {{1}, {1}});
  std::vector<double> out(3), grad(3);
  for (BinaryOp op : {BinaryOp::minimum, BinaryOp::maximum}) {
    binary_forward<double>(cpu, op, space, a.data(), b.data(), out.data());
    CHECK(std::isnan(out[0]));
    CHECK(std::isnan(out[1]));
    binary_backward_a<double>(cpu, op, space, g.data(), a.data(), b.data(), grad.data());
    CHECK(grad[2] == 2);
    binary_backward_b<double>(cpu, op, space, g.data(), a.data(), b.data(), grad.data());
    CHECK(grad[2] == 2);
  }
  const std::vector<double> x = {nan, -3, 0.25, 3};
  std::vector<double> clamped(4), grad_x(4);
  clamp_forward<double>(cpu, 4, -1, 1, x.data(), clamped.data());
  CHECK(std::isnan(clamped[0]));
  CHECK(clamped[1] == -1);
  CHECK(clamped[2] == 0.25);
  CHECK(clamped[3] == 1);
  const std::vector<double> ones(4, 1.0);
  clamp_backward<double>(cpu, 4, -1, 1, ones.data(), x.data(), grad_x.data());
  CHECK(grad_x == std::vector<double>{0, 0, 1, 0});
}

TEST_CASE("pow has PyTorch's gradients at zero") {
  const std::vector<double> a = {0, 0, 3}, b = {0, 2, 0}, g = {1, 1, 1};
  std::vector<double> grad(3);
  const auto space = make_space<2>({3}, {{1}, {1}});
  binary_backward_a<double>(cpu, BinaryOp::pow, space, g.data(), a.data(), b.data(), grad.data());
  CHECK(grad == std::vector<double>{0, 0, 0});
  binary_backward_b<double>(cpu, BinaryOp::pow, space, g.data(), a.data(), b.data(), grad.data());
  CHECK(grad[0] == 0);
  CHECK(grad[1] == 0);
  CHECK(grad[2] == Approx(std::log(3.0)));
}

TEST_CASE("comparisons, where, casts and integer arithmetic") {
  const std::vector<std::int64_t> a = {1, 2, 3}, b = {2};
  const auto space = make_space<2>({3}, {{1}, {0}});
  std::vector<std::uint8_t> holds(3);
  const auto compared = [&](CompareOp op) {
    compare<std::int64_t>(cpu, op, space, a.data(), b.data(), holds.data());
    return std::vector<int>(holds.begin(), holds.end());
  };
  CHECK(compared(CompareOp::eq) == std::vector<int>{0, 1, 0});
  CHECK(compared(CompareOp::ne) == std::vector<int>{1, 0, 1});
  CHECK(compared(CompareOp::lt) == std::vector<int>{1, 0, 0});
  CHECK(compared(CompareOp::le) == std::vector<int>{1, 1, 0});
  CHECK(compared(CompareOp::gt) == std::vector<int>{0, 0, 1});
  CHECK(compared(CompareOp::ge) == std::vector<int>{0, 1, 1});

  std::vector<std::int64_t> integers(3);
  where<std::int64_t>(cpu, make_space<3>({3}, {{1}, {1}, {0}}), holds.data(), a.data(), b.data(), integers.data());
  CHECK(integers == std::vector<std::int64_t>{2, 2, 3});
  binary_forward<std::int64_t>(cpu, BinaryOp::mul, space, a.data(), b.data(), integers.data());
  CHECK(integers == std::vector<std::int64_t>{2, 4, 6});
  CHECK_THROWS_AS(binary_forward<std::int64_t>(cpu, BinaryOp::div, space, a.data(), b.data(), integers.data()), Error);

  const std::vector<float> x = {1.75f, 2.0f, 200.0f};
  std::vector<std::uint8_t> bytes(3);
  cast<float, std::uint8_t>(cpu, 3, x.data(), bytes.data());
  CHECK(bytes == std::vector<std::uint8_t>{1, 2, 200});
}

TEST_CASE("in-place kernels work on long arrays") {
  std::vector<float> y(50000);
  fill<float>(cpu, 50000, 3.0f, y.data());
  const std::vector<float> x(50000, 2.0f);
  add_scaled<float>(cpu, 50000, 0.5f, x.data(), y.data());
  scale<float>(cpu, 50000, 10.0f, y.data());
  CHECK(y == std::vector<float>(50000, 40.0f));
}

TEST_CASE("functions of one argument and their gradients") {
  struct Case {
    UnaryOp op;
    double (*function)(double);
    double low;
  };
  const Case cases[] = {{UnaryOp::neg, [](double x) { return -x; }, -2},
                        {UnaryOp::abs, [](double x) { return std::abs(x); }, -2},
                        {UnaryOp::exp, [](double x) { return std::exp(x); }, -2},
                        {UnaryOp::log, [](double x) { return std::log(x); }, 0.1},
                        {UnaryOp::sqrt, [](double x) { return std::sqrt(x); }, 0.1}};
  const double h = 1e-6;
  for (const Case& c : cases) {
    const auto x = random_values<double>(101, 4, c.low, 2), g = random_values<double>(101, 5);
    std::vector<double> y(101), grad(101);
    unary_forward<double>(cpu, c.op, 101, x.data(), y.data());
    const auto& saved = backward_reads_output(c.op) ? y : x;
    unary_backward<double>(cpu, c.op, 101, g.data(), saved.data(), grad.data());
    for (std::size_t i = 0; i < 101; ++i) {
      REQUIRE(y[i] == Approx(c.function(x[i])).epsilon(1e-14));
      const double slope = (c.function(x[i] + h) - c.function(x[i] - h)) / (2 * h);
      REQUIRE(grad[i] == Approx(g[i] * slope).epsilon(1e-7).margin(1e-8));
    }
  }
}

TEST_CASE("activations and their gradients") {
  using Forward = void (*)(std::int64_t, const double*, double*);
  using Backward = void (*)(std::int64_t, const double*, const double*, const double*, double*);
  struct Case {
    const char* name;
    double (*function)(double);
    Forward forward;
    Backward backward;  // g, x, y, grad
  };
  const Case cases[] = {
      {"relu", [](double x) { return x > 0 ? x : 0; }, [](auto n, auto x, auto y) { relu_forward(cpu, n, x, y); },
       [](auto n, auto g, auto, auto y, auto grad) { relu_backward(cpu, n, g, y, grad); }},
      {"leaky_relu", [](double x) { return x > 0 ? x : 0.1 * x; },
       [](auto n, auto x, auto y) { leaky_relu_forward(cpu, n, 0.1, x, y); },
       [](auto n, auto g, auto x, auto, auto grad) { leaky_relu_backward(cpu, n, 0.1, g, x, grad); }},
      {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); },
       [](auto n, auto x, auto y) { sigmoid_forward(cpu, n, x, y); },
       [](auto n, auto g, auto, auto y, auto grad) { sigmoid_backward(cpu, n, g, y, grad); }},
      {"tanh", [](double x) { return std::tanh(x); }, [](auto n, auto x, auto y) { tanh_forward(cpu, n, x, y); },
       [](auto n, auto g, auto, auto y, auto grad) { tanh_backward(cpu, n, g, y, grad); }},
      {"gelu", [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); },
       [](auto n, auto x, auto y) { gelu_forward(cpu, GeluForm::exact, n, x, y); },
       [](auto n, auto g, auto x, auto, auto grad) { gelu_backward(cpu, GeluForm::exact, n, g, x, grad); }},
      {"gelu_tanh",
       [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * std::pow(x, 3)))); },
       [](auto n, auto x, auto y) { gelu_forward(cpu, GeluForm::tanh, n, x, y); },
       [](auto n, auto g, auto x, auto, auto grad) { gelu_backward(cpu, GeluForm::tanh, n, g, x, grad); }},
  };
  const double h = 1e-6;
  const std::int64_t n = 203;
  const auto x = random_values<double>(n, 6, -4, 4), g = random_values<double>(n, 7);
  for (const Case& c : cases) {
    INFO(c.name);
    std::vector<double> y(x.size()), grad(x.size());
    c.forward(n, x.data(), y.data());
    c.backward(n, g.data(), x.data(), y.data(), grad.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      REQUIRE(y[i] == Approx(c.function(x[i])).epsilon(1e-13).margin(1e-14));
      const double slope = (c.function(x[i] + h) - c.function(x[i] - h)) / (2 * h);
      REQUIRE(grad[i] == Approx(g[i] * slope).epsilon(1e-6).margin(1e-8));
    }
  }
}

TEST_CASE("activations keep NaN and saturate without it") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x = {-inf, -1000, 0, 1000, inf, nan};
  std::vector<float> y(6);
  relu_forward<float>(cpu, 6, x.data(), y.data());
  CHECK(std::vector<float>(y.begin(), y.end() - 1) == std::vector<float>{0, 0, 0, 1000, inf});
  CHECK(std::isnan(y[5]));
  sigmoid_forward<float>(cpu, 6, x.data(), y.data());
  CHECK(std::vector<float>(y.begin(), y.end() - 1) == std::vector<float>{0, 0, 0.5f, 1, 1});
  CHECK(std::isnan(y[5]));
  tanh_forward<float>(cpu, 6, x.data(), y.data());
  CHECK(std::vector<float>(y.begin(), y.end() - 1) == std::vector<float>{-1, -1, 0, 1, 1});
  CHECK(std::isnan(y[5]));
}

TEST_CASE("float32 functions are as accurate as float32 allows") {
  struct Case {
    const char* name;
    void (*function)(std::int64_t, const float*, float*);
    double (*exact)(double);
  };
  const Case cases[] = {
      {"exp", [](auto n, auto x, auto y) { unary_forward<float>(cpu, UnaryOp::exp, n, x, y); },
       [](double x) { return std::exp(x); }},
      {"tanh", [](auto n, auto x, auto y) { tanh_forward<float>(cpu, n, x, y); },
       [](double x) { return std::tanh(x); }},
      {"sigmoid", [](auto n, auto x, auto y) { sigmoid_forward<float>(cpu, n, x, y); },
       [](double x) { return 1 / (1 + std::exp(-x)); }},
  };
  std::vector<float> x = random_values<float>(20000, 8, -87, 88);
  for (float small : random_values<float>(20000, 9, -3, 3)) x.push_back(small);
  std::vector<float> y(x.size());
  for (const Case& c : cases) {
    c.function(static_cast<std::int64_t>(x.size()), x.data(), y.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      INFO(c.name << " of " << x[i]);
      REQUIRE(static_cast<double>(y[i]) == Approx(c.exact(static_cast<double>(x[i]))).epsilon(3e-7));
    }
  }
  gelu_forward<float>(cpu, GeluForm::exact, static_cast<std::int64_t>(x.size()), x.data(), y.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = static_cast<double>(x[i]) / 2 * std::erfc(-static_cast<double>(x[i]) / std::sqrt(2.0));
    REQUIRE(static_cast<double>(y[i]) == Approx(exact).epsilon(5e-7).margin(5e-7));
  }
}

TEST_CASE("float32 exp at the ends of its range") {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {-inf, -110, -100, 88.7f, 88.8f, 1000, inf, std::numeric_limits<float>::quiet_NaN()};
  std::vector<float> y(8);
  unary_forward<float>(cpu, UnaryOp::exp, 8, x.data(), y.data());
  CHECK(y[0] == 0);
  CHECK(y[1] == 0);
  CHECK(y[2] == Approx(std::exp(-100.0)).epsilon(0.02));  // denormal: 27 units of 2^-149
  CHECK(y[3] == Approx(std::exp(static_cast<double>(88.7f))).epsilon(1e-6));
  CHECK(y[4] == inf);
  CHECK(y[5] == inf);
  CHECK(y[6] == inf);
  CHECK(std::isnan(y[7]));
}
