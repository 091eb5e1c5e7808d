// The kernels that divide predictions into offsets and masks, against their formulas.
#include "deft/kernels/deform_positions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "catch.h"
#include "kernels/spaces.h"
#include "test_device.h"

using namespace deft;
using namespace deft::kernels;
using namespace deft::testing;

TEST_CASE("predictions become clamped offsets and scaled masks, with gradients") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const DeformPositionsShape& s : {DeformPositionsShape{3000, 9, 0.5, 2}, DeformPositionsShape{5, 1, infinity, 1},
                                        DeformPositionsShape{7, 50, 0.25, 0}, DeformPositionsShape{0, 9, 1, 1}}) {
    const std::int64_t n = s.points * s.taps;
    const auto x = random_values<double>(3 * n, 1, -1, 1), grad_offset = random_values<double>(2 * n, 2),
               grad_mask = random_values<double>(n, 3);
    const Buffer<double> device_x(x), device_grad_offset(grad_offset), device_grad_mask(grad_mask);
    Buffer<double> offset(std::vector<double>(grad_offset.size(), 7)), mask(std::vector<double>(grad_mask.size(), 7));
    on_test_device(
        [&](auto place) { deform_positions_forward<double>(place, s, device_x.data(), offset.data(), mask.data()); });
    const auto gradient = output_of<double>(3 * n, [&](auto device, double* out) {
      deform_positions_backward<double>(device, s, device_grad_offset.data(), device_grad_mask.data(), device_x.data(),
                                        mask.data(), out);
    });
    const auto offsets = offset.values(), masks = mask.values();
    const auto taps = static_cast<std::size_t>(s.taps);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::size_t point = i / (3 * taps), column = i % (3 * taps);
      if (column < 2 * taps) {
        const std::size_t at = point * 2 * taps + column;
        REQUIRE(offsets[at] == std::clamp(x[i], -s.offset_limit, s.offset_limit));
        REQUIRE(gradient[i] == (std::abs(x[i]) <= s.offset_limit ? grad_offset[at] : 0));
      } else {
        const std::size_t at = point * taps + column - 2 * taps;
        const double sigmoid = 1 / (1 + std::exp(-x[i]));
        REQUIRE(masks[at] == Approx(s.mask_scale * sigmoid).epsilon(1e-12));
        REQUIRE(gradient[i] == Approx(s.mask_scale * grad_mask[at] * sigmoid * (1 - sigmoid)).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("a prediction of NaN stays one") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Buffer<float> x({nan, 3, nan});
  Buffer<float> offset({7, 7}), mask({7});
  on_test_device([&](auto place) {
    deform_positions_forward<float>(place, {1, 1, 2, 1}, x.data(), offset.data(), mask.data());
  });
  CHECK(std::isnan(offset.values()[0]));
  CHECK(offset.values()[1] == 2);
  CHECK(std::isnan(mask.values()[0]));
}

TEST_CASE("a prediction of NaN gets the gradient that clamp gives it, none, and all where nothing is clamped") {
  const Buffer<float> x({std::numeric_limits<float>::quiet_NaN(), 3, 0}), mask({0.5f}), grad_offset({5, 6}),
      grad_mask({0});
  const auto gradient = [&](double limit) {
    return output_of<float>(3, [&](auto device, float* out) {
      deform_positions_backward<float>(device, {1, 1, limit, 1}, grad_offset.data(), grad_mask.data(), x.data(),
                                       mask.data(), out);
    });
  };
  CHECK(gradient(2) == std::vector<float>{0, 0, 0});
  CHECK(gradient(std::numeric_limits<double>::infinity()) == std::vector<float>{5, 6, 0});
}
