// Whether numbers were drawn uniformly.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "catch.h"

/// The numbers must be uniform in [low, high], as far as many draws of it tell.
inline void check_uniform(const std::vector<double>& numbers, double low, double high) {
  double mean = 0, square = 0;
  for (const double number : numbers) mean += number / double(numbers.size());
  for (const double number : numbers) square += std::pow(number - mean, 2) / double(numbers.size());
  CHECK(*std::min_element(numbers.begin(), numbers.end()) >= low - 1e-9);
  CHECK(*std::max_element(numbers.begin(), numbers.end()) <= high + 1e-9);
  CHECK(mean == Approx((low + high) / 2).margin(0.03 * (high - low) + 1e-9));
  CHECK(std::sqrt(square) == Approx((high - low) / std::sqrt(12.0)).epsilon(0.05).margin(1e-9));
}
