// Pooling against naive references over a grid of windows, and what PyTorch does in the corner cases.
#include "deft/kernels/pool2d.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "deft/kernels/parallel_for.h"
#include "deft/kernels/philox.h"

#include "catch.h"

using namespace deft;
using kernels::AdaptivePool2dShape;
using kernels::Cpu;
using kernels::Pool2dShape;

namespace {

std::vector<double> random_values(std::int64_t n, std::uint64_t seed) {
  PhiloxSequence random(seed, 0);
  std::vector<double> values(static_cast<std::size_t>(n));
  for (double& value : values) value = random.normal();
  return values;
}

struct Pooled {
  std::vector<double> output, grad_input;
};

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Max pooling as defined: PyTorch's loop over the window, gradients scattered.
Pooled reference_max(const Pool2dShape& s, const std::vector<double>& input, const std::vector<double>& grad_output) {
  Pooled r{std::vector<double>(grad_output.size()), std::vector<double>(input.size())};
  std::int64_t o = 0;
  for (std::int64_t n = 0; n < s.n; ++n) {
    for (std::int64_t i = 0; i < s.h_out(); ++i) {
      for (std::int64_t j = 0; j < s.w_out(); ++j) {
        for (std::int64_t c = 0; c < s.c; ++c, ++o) {
          double best = -std::numeric_limits<double>::infinity();
          std::int64_t winner = -1;
          for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
            const std::int64_t y = i * s.stride_h - s.pad_top + tap / s.kernel_w;
            const std::int64_t x = j * s.stride_w - s.pad_left + tap % s.kernel_w;
            if (y < 0 || y >= s.h || x < 0 || x >= s.w) continue;
            const std::int64_t k = ((n * s.h + y) * s.w + x) * s.c + c;
            if (winner < 0 || input[at(k)] > best || std::isnan(input[at(k)])) {
              best = input[at(k)];
              winner = k;
            }
          }
          r.output[at(o)] = best;
          r.grad_input[at(winner)] += grad_output[at(o)];
        }
      }
    }
  }
  return r;
}

// A mean over input rows [y0, y1) and columns [x0, x1), divided by `count`, of one output element.
struct Mean {
  std::int64_t y0, y1, x0, x1, count;
};

template <class Window>
Pooled reference_mean(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c, std::int64_t h_out,
                      std::int64_t w_out, const Window& window, const std::vector<double>& input,
                      const std::vector<double>& grad_output) {
  Pooled r{std::vector<double>(grad_output.size()), std::vector<double>(input.size())};
  for (std::int64_t o = 0; o < n * h_out * w_out * c; ++o) {
    const std::int64_t image = o / (h_out * w_out * c);
    const Mean m = window(o / (w_out * c) % h_out, o / c % w_out);
    for (std::int64_t y = m.y0; y < m.y1; ++y) {
      for (std::int64_t x = m.x0; x < m.x1; ++x) {
        const std::int64_t k = ((image * h + y) * w + x) * c + o % c;
        r.output[at(o)] += input[at(k)] / static_cast<double>(m.count);
        r.grad_input[at(k)] += grad_output[at(o)] / static_cast<double>(m.count);
      }
    }
  }
  return r;
}

Pooled reference_avg(const Pool2dShape& s, bool count_include_pad, const std::vector<double>& input,
                     const std::vector<double>& grad_output) {
  const auto window = [&](std::int64_t i, std::int64_t j) {
    const std::int64_t y = i * s.stride_h - s.pad_top, x = j * s.stride_w - s.pad_left;
    Mean m{std::max<std::int64_t>(y, 0), std::min(y + s.kernel_h, s.h), std::max<std::int64_t>(x, 0),
           std::min(x + s.kernel_w, s.w), 0};
    m.count = count_include_pad ? (std::min(y + s.kernel_h, s.h + s.pad_bottom) - y) *
                                      (std::min(x + s.kernel_w, s.w + s.pad_right) - x)
                                : (m.y1 - m.y0) * (m.x1 - m.x0);
    return m;
  };
  return reference_mean(s.n, s.h, s.w, s.c, s.h_out(), s.w_out(), window, input, grad_output);
}

void check_near(const std::vector<double>& actual, const std::vector<double>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) REQUIRE(actual[i] == Approx(expected[i]).margin(1e-13));
}

std::vector<Pool2dShape> option_grid() {
  std::vector<Pool2dShape> grid;
  for (std::int64_t kernel : {1, 2, 3, 4}) {
    for (std::int64_t stride : {1, 2, 3, 5}) {
      for (std::int64_t pad = 0; pad <= kernel / 2; ++pad) {
        for (bool ceil_mode : {false, true}) {
          grid.push_back({2, 9, 8, 5, kernel, kernel, stride, stride, pad, pad, pad, pad, ceil_mode});
        }
      }
    }
  }
  grid.push_back({1, 7, 10, 35, 3, 2, 1, 2, 1, 0, 0, 1, false});
  grid.push_back({3, 28, 28, 32, 2, 2, 2, 2, 0, 0, 0, 0, false});
  return grid;
}

template <class T, class Tap>
std::vector<T> max_pool(const Pool2dShape& s, const std::vector<T>& input) {
  const std::size_t outputs = at(s.n * s.h_out() * s.w_out() * s.c);
  std::vector<T> output(outputs);
  std::vector<Tap> taps(outputs);
  kernels::max_pool2d_forward(Cpu{}, s, input.data(), output.data(), taps.data());
  return output;
}

}  // namespace

TEST_CASE("output sizes of pooling are PyTorch's") {
  const auto h_out = [](std::int64_t h, std::int64_t kernel, std::int64_t stride, std::int64_t pad, bool ceil_mode) {
    return Pool2dShape{1, h, 1, 1, kernel, 1, stride, 1, pad, pad, 0, 0, ceil_mode}.h_out();
  };
  CHECK(h_out(28, 2, 2, 0, false) == 14);
  CHECK(h_out(9, 2, 2, 0, false) == 4);
  CHECK(h_out(9, 2, 2, 0, true) == 5);
  CHECK(h_out(28, 4, 2, 1, false) == 14);
  CHECK(h_out(28, 4, 2, 1, true) == 14);
  CHECK(h_out(6, 2, 3, 1, true) == 3);
  CHECK(h_out(5, 2, 3, 1, true) == 2);  // a third window would start in the bottom padding
  CHECK(h_out(1, 2, 2, 0, true) == 1);
  CHECK(h_out(1, 2, 2, 0, false) == 0);
}

TEST_CASE("max pooling follows its definition over a grid of windows") {
  for (const Pool2dShape& s : option_grid()) {
    CAPTURE(s.kernel_h, s.stride_h, s.pad_top, s.ceil_mode);
    const auto input = random_values(s.n * s.h * s.w * s.c, 1);
    const auto grad_output = random_values(s.n * s.h_out() * s.w_out() * s.c, 2);
    const Pooled expected = reference_max(s, input, grad_output);
    const auto check = [&](auto tap) {
      std::vector<decltype(tap)> taps(grad_output.size());
      std::vector<double> output(grad_output.size(), NAN), grad_input(input.size(), NAN);
      kernels::max_pool2d_forward(Cpu{}, s, input.data(), output.data(), taps.data());
      CHECK(output == expected.output);
      kernels::max_pool2d_backward(Cpu{}, s, grad_output.data(), taps.data(), grad_input.data());
      check_near(grad_input, expected.grad_input);
    };
    check(std::uint8_t());
    check(std::int64_t());
  }
}

TEST_CASE("of equal pixels the first wins, and NaN over everything") {
  const Pool2dShape s{1, 2, 2, 1, 2, 2, 2, 2};
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const auto winner = [&](const std::vector<double>& input) {
    double output = 0;
    std::uint8_t tap = 99;
    kernels::max_pool2d_forward(Cpu{}, s, input.data(), &output, &tap);
    CHECK((output == input[tap] || (std::isnan(output) && std::isnan(input[tap]))));
    return int{tap};
  };
  CHECK(winner({3, 3, 3, 3}) == 0);
  CHECK(winner({1, 3, 3, 2}) == 1);
  CHECK(winner({-inf, -inf, -inf, -inf}) == 0);
  CHECK(winner({1, nan, inf, 2}) == 1);
  CHECK(winner({nan, 1, inf, 2}) == 0);
}

TEST_CASE("windows of more than 256 pixels count their taps in 64 bits") {
  const Pool2dShape s{1, 20, 20, 1, 20, 20, 20, 20};
  std::vector<double> input(400, 0.0), grad_input(400, NAN), expected(400, 0.0);
  input[399] = 1;
  double output = 0;
  std::int64_t tap = 0;
  kernels::max_pool2d_forward(Cpu{}, s, input.data(), &output, &tap);
  CHECK(output == 1);
  CHECK(tap == 399);
  const double grad_output = 5;
  kernels::max_pool2d_backward(Cpu{}, s, &grad_output, &tap, grad_input.data());
  expected[399] = 5;
  CHECK(grad_input == expected);
}

TEST_CASE("average pooling follows its definition over a grid of windows") {
  for (const Pool2dShape& s : option_grid()) {
    for (bool count_include_pad : {true, false}) {
      CAPTURE(s.kernel_h, s.stride_h, s.pad_top, s.ceil_mode, count_include_pad);
      const auto input = random_values(s.n * s.h * s.w * s.c, 1);
      const auto grad_output = random_values(s.n * s.h_out() * s.w_out() * s.c, 2);
      const Pooled expected = reference_avg(s, count_include_pad, input, grad_output);
      std::vector<double> output(grad_output.size(), NAN), grad_input(input.size(), NAN);
      kernels::avg_pool2d_forward(Cpu{}, s, count_include_pad, input.data(), output.data());
      check_near(output, expected.output);
      kernels::avg_pool2d_backward(Cpu{}, s, count_include_pad, grad_output.data(), grad_input.data());
      check_near(grad_input, expected.grad_input);
    }
  }
}

TEST_CASE("adaptive average pooling follows its definition, also to larger sizes") {
  const std::int64_t n = 2, h = 7, w = 10, c = 3;
  for (std::int64_t h_out : {1, 3, 7, 9}) {
    for (std::int64_t w_out : {1, 2, 7, 13}) {
      const auto window = [&](std::int64_t i, std::int64_t j) {
        Mean m{i * h / h_out, ((i + 1) * h + h_out - 1) / h_out, j * w / w_out, ((j + 1) * w + w_out - 1) / w_out, 0};
        m.count = (m.y1 - m.y0) * (m.x1 - m.x0);
        return m;
      };
      const auto input = random_values(n * h * w * c, 1);
      const auto grad_output = random_values(n * h_out * w_out * c, 2);
      const Pooled expected = reference_mean(n, h, w, c, h_out, w_out, window, input, grad_output);
      const AdaptivePool2dShape s{n, h, w, c, h_out, w_out};
      std::vector<double> output(grad_output.size(), NAN), grad_input(input.size(), NAN);
      kernels::adaptive_avg_pool2d_forward(Cpu{}, s, input.data(), output.data());
      check_near(output, expected.output);
      kernels::adaptive_avg_pool2d_backward(Cpu{}, s, grad_output.data(), grad_input.data());
      check_near(grad_input, expected.grad_input);
    }
  }
}

TEST_CASE("pooling an empty batch writes nothing") {
  kernels::max_pool2d_forward<float, std::uint8_t>(Cpu{}, {0, 4, 4, 3, 2, 2, 2, 2}, nullptr, nullptr, nullptr);
  kernels::max_pool2d_backward<float, std::uint8_t>(Cpu{}, {2, 4, 4, 0, 2, 2, 2, 2}, nullptr, nullptr, nullptr);
  kernels::avg_pool2d_forward<float>(Cpu{}, {0, 4, 4, 3, 2, 2, 2, 2}, true, nullptr, nullptr);
  kernels::adaptive_avg_pool2d_backward<float>(Cpu{}, {0, 4, 4, 3, 1, 1}, nullptr, nullptr);
}

TEST_CASE("pooling gives the same bits for any number of threads") {
  const Pool2dShape s{4, 28, 28, 32, 3, 3, 2, 2, 1, 1, 1, 1};
  const auto values = random_values(s.n * s.h * s.w * s.c, 5);
  const std::vector<float> input(values.begin(), values.end());
  const int before = num_threads();
  const auto run = [&](int threads) {
    set_num_threads(threads);
    std::vector<float> output(at(s.n * s.h_out() * s.w_out() * s.c)), grad(input.size());
    kernels::avg_pool2d_forward(Cpu{}, s, true, input.data(), output.data());
    kernels::avg_pool2d_backward(Cpu{}, s, true, output.data(), grad.data());
    return std::vector<std::vector<float>>{output, grad, max_pool<float, std::uint8_t>(s, input)};
  };
  const auto one = run(1);
  CHECK(run(3) == one);
  set_num_threads(before);
}
