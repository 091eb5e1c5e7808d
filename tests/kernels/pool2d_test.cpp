// Pooling against naive references over a grid of windows, and what PyTorch does in the corner cases.
#include "deft/kernels/pool2d.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "deft/kernels/runtime/parallel_for.h"
#include "deft/kernels/runtime/philox.h"

#include "catch.h"
#include "test_device.h"

using namespace deft;
using deft::testing::Buffer;
using deft::testing::on_test_device;
using kernels::AdaptivePool2dShape;
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

template <class T>
void check_near(const std::vector<T>& actual, const std::vector<double>& expected) {
  const double epsilon = std::is_same_v<T, float> ? 1e-5 : 1e-12, margin = std::is_same_v<T, float> ? 1e-5 : 1e-13;
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    REQUIRE(actual[i] == Approx(expected[i]).epsilon(epsilon).margin(margin));
  }
}

template <class To, class From>
std::vector<To> rounded(const std::vector<From>& values) {
  return std::vector<To>(values.begin(), values.end());
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
  grid.push_back({1, 5, 6, 12, 3, 3, 2, 2, 1, 1, 1, 1, true});
  grid.push_back({3, 28, 28, 32, 2, 2, 2, 2, 0, 0, 0, 0, false});
  return grid;
}

// What the kernels give on the test device.
template <class T>
struct Results {
  std::vector<T> output, grad_input;
};

template <class T>
std::vector<T> unwritten(std::size_t size) {
  return std::vector<T>(size, std::numeric_limits<T>::quiet_NaN());
}

template <class T, class Tap>
struct MaxResults : Results<T> {
  std::vector<Tap> taps;
};

template <class T, class Tap>
MaxResults<T, Tap> max_pool(const Pool2dShape& s, const std::vector<T>& input, const std::vector<T>& grad_output) {
  Buffer<T> in(input), grad_out(grad_output), out(unwritten<T>(grad_output.size())),
      grad_in(unwritten<T>(input.size()));
  Buffer<Tap> taps(std::vector<Tap>(grad_output.size(), 99));
  on_test_device([&](auto place) {
    kernels::max_pool2d_forward<T, Tap>(place, s, in.data(), out.data(), taps.data());
    kernels::max_pool2d_backward<T, Tap>(place, s, grad_out.data(), taps.data(), grad_in.data());
  });
  return {{out.values(), grad_in.values()}, taps.values()};
}

// Calls forward(device, input, output) and backward(device, grad_output, grad_input).
template <class T, class Forward, class Backward>
Results<T> pool(const std::vector<T>& input, const std::vector<T>& grad_output, const Forward& forward,
                const Backward& backward) {
  Buffer<T> in(input), grad_out(grad_output), out(unwritten<T>(grad_output.size())),
      grad_in(unwritten<T>(input.size()));
  on_test_device([&](auto place) {
    forward(place, in.data(), out.data());
    backward(place, grad_out.data(), grad_in.data());
  });
  return {out.values(), grad_in.values()};
}

template <class T>
Results<T> avg_pool(const Pool2dShape& s, bool count_include_pad, const std::vector<T>& input,
                    const std::vector<T>& grad_output) {
  return pool<T>(
      input, grad_output,
      [&](auto device, const T* in, T* out) { kernels::avg_pool2d_forward<T>(device, s, count_include_pad, in, out); },
      [&](auto device, const T* grad_out, T* grad_in) {
        kernels::avg_pool2d_backward<T>(device, s, count_include_pad, grad_out, grad_in);
      });
}

template <class T>
Results<T> adaptive_avg_pool(const AdaptivePool2dShape& s, const std::vector<T>& input,
                             const std::vector<T>& grad_output) {
  return pool<T>(
      input, grad_output,
      [&](auto device, const T* in, T* out) { kernels::adaptive_avg_pool2d_forward<T>(device, s, in, out); },
      [&](auto device, const T* grad_out, T* grad_in) {
        kernels::adaptive_avg_pool2d_backward<T>(device, s, grad_out, grad_in);
      });
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

TEMPLATE_TEST_CASE("max pooling follows its definition over a grid of windows", "", float, double) {
  using T = TestType;
  for (const Pool2dShape& s : option_grid()) {
    CAPTURE(s.kernel_h, s.stride_h, s.pad_top, s.ceil_mode, s.c);
    const auto input = rounded<T>(random_values(s.n * s.h * s.w * s.c, 1));
    const auto grad_output = rounded<T>(random_values(s.n * s.h_out() * s.w_out() * s.c, 2));
    const Pooled expected = reference_max(s, rounded<double>(input), rounded<double>(grad_output));
    const auto check = [&](auto tap) {
      const auto actual = max_pool<T, decltype(tap)>(s, input, grad_output);
      CHECK(actual.output == rounded<T>(expected.output));
      check_near(actual.grad_input, expected.grad_input);
    };
    check(std::uint8_t());
    check(std::int64_t());
  }
}

TEST_CASE("of equal pixels the first wins, and NaN over everything") {
  const Pool2dShape s{1, 2, 2, 1, 2, 2, 2, 2};
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const auto winner = [&](const std::vector<double>& input) {
    const auto actual = max_pool<double, std::uint8_t>(s, input, {1});
    const double output = actual.output[0], pixel = input[actual.taps[0]];
    CHECK((output == pixel || (std::isnan(output) && std::isnan(pixel))));
    return int{actual.taps[0]};
  };
  CHECK(winner({3, 3, 3, 3}) == 0);
  CHECK(winner({1, 3, 3, 2}) == 1);
  CHECK(winner({-inf, -inf, -inf, -inf}) == 0);
  CHECK(winner({1, nan, inf, 2}) == 1);
  CHECK(winner({nan, 1, inf, 2}) == 0);
}

TEST_CASE("windows of more than 256 pixels count their taps in 64 bits") {
  const Pool2dShape s{1, 20, 20, 1, 20, 20, 20, 20};
  std::vector<double> input(400, 0.0), expected(400, 0.0);
  input[399] = 1;
  expected[399] = 5;
  const auto actual = max_pool<double, std::int64_t>(s, input, {5});
  CHECK(actual.output[0] == 1);
  CHECK(actual.taps[0] == 399);
  CHECK(actual.grad_input == expected);
}

TEMPLATE_TEST_CASE("average pooling follows its definition over a grid of windows", "", float, double) {
  using T = TestType;
  std::vector<Pool2dShape> grid = option_grid();
  grid.push_back({2, 9, 11, 6, 8, 9, 3, 2, 4, 3, 4, 1, true});  // windows that several threads share
  grid.push_back({1, 9, 9, 144, 9, 9, 9, 9, 0, 0, 0, 0, false});
  for (const Pool2dShape& s : grid) {
    for (bool count_include_pad : {true, false}) {
      CAPTURE(s.kernel_h, s.stride_h, s.pad_top, s.ceil_mode, s.c, count_include_pad);
      const auto input = rounded<T>(random_values(s.n * s.h * s.w * s.c, 1));
      const auto grad_output = rounded<T>(random_values(s.n * s.h_out() * s.w_out() * s.c, 2));
      const Pooled expected = reference_avg(s, count_include_pad, rounded<double>(input), rounded<double>(grad_output));
      const auto actual = avg_pool<T>(s, count_include_pad, input, grad_output);
      check_near(actual.output, expected.output);
      check_near(actual.grad_input, expected.grad_input);
    }
  }
}

TEMPLATE_TEST_CASE("adaptive average pooling follows its definition, also to larger sizes", "", float, double) {
  using T = TestType;
  const std::int64_t n = 2, h = 7, w = 10;
  for (std::int64_t h_out : {1, 3, 7, 9}) {
    for (std::int64_t w_out : {1, 2, 7, 13}) {
      for (std::int64_t c : {3, 8}) {
        CAPTURE(h_out, w_out, c);
        const auto window = [&](std::int64_t i, std::int64_t j) {
          Mean m{i * h / h_out, ((i + 1) * h + h_out - 1) / h_out, j * w / w_out, ((j + 1) * w + w_out - 1) / w_out, 0};
          m.count = (m.y1 - m.y0) * (m.x1 - m.x0);
          return m;
        };
        const auto input = rounded<T>(random_values(n * h * w * c, 1));
        const auto grad_output = rounded<T>(random_values(n * h_out * w_out * c, 2));
        const Pooled expected =
            reference_mean(n, h, w, c, h_out, w_out, window, rounded<double>(input), rounded<double>(grad_output));
        const auto actual = adaptive_avg_pool<T>({n, h, w, c, h_out, w_out}, input, grad_output);
        check_near(actual.output, expected.output);
        check_near(actual.grad_input, expected.grad_input);
      }
    }
  }
}

TEST_CASE("pooling takes arrays that begin anywhere") {
  const Pool2dShape s{1, 4, 4, 4, 2, 2, 2, 2};
  const auto input = rounded<float>(random_values(64, 3));
  const Pooled expected = reference_max(s, rounded<double>(input), std::vector<double>(16));
  std::vector<float> after_one{0};
  after_one.insert(after_one.end(), input.begin(), input.end());
  Buffer<float> in(after_one), out(unwritten<float>(16));
  Buffer<std::uint8_t> taps(std::vector<std::uint8_t>(16));
  on_test_device([&](auto place) {
    kernels::max_pool2d_forward<float, std::uint8_t>(place, s, in.data() + 1, out.data(), taps.data());
  });
  CHECK(out.values() == rounded<float>(expected.output));
}

TEST_CASE("pooling an empty batch writes nothing") {
  max_pool<float, std::uint8_t>({0, 4, 4, 3, 2, 2, 2, 2}, {}, {});
  max_pool<float, std::uint8_t>({2, 4, 4, 0, 2, 2, 2, 2}, {}, {});
  avg_pool<float>({0, 4, 4, 3, 2, 2, 2, 2}, true, {}, {});
  adaptive_avg_pool<float>({0, 4, 4, 3, 1, 1}, {}, {});
  adaptive_avg_pool<float>({2, 10, 10, 0, 1, 1}, {}, {});
}

TEST_CASE("pooling gives the same bits for any number of threads") {
  const Pool2dShape s{4, 28, 28, 32, 3, 3, 2, 2, 1, 1, 1, 1};
  const auto input = rounded<float>(random_values(s.n * s.h * s.w * s.c, 5));
  const auto grad_output = rounded<float>(random_values(s.n * s.h_out() * s.w_out() * s.c, 6));
  const int before = num_threads();
  const auto run = [&](int threads) {
    set_num_threads(threads);
    const auto average = avg_pool<float>(s, true, input, grad_output);
    const auto maximum = max_pool<float, std::uint8_t>(s, input, grad_output);
    return std::vector{average.output, average.grad_input, maximum.output, maximum.grad_input};
  };
  const auto one = run(1);
  CHECK(run(3) == one);
  set_num_threads(before);
}
