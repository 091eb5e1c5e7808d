// The random numbers of the data layer: each a pure function of seed, purpose, epoch and sample, so that neither threads
// nor the order of work can change them.
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "deft/kernels/philox.h"

namespace deft {

/// What numbers are drawn for. Streams of different purposes never meet, nor the streams of a Generator of the same seed.
enum class Draw : std::uint64_t { shuffle = 1, augment = 2, split = 3, digits = 4 };

/// The numbers drawn for one sample in one epoch: at most 2^22 words. Streams differ up to 2^56 epochs and 2^44 samples.
inline PhiloxSequence draws(std::uint64_t seed, Draw purpose, std::uint64_t epoch = 0, std::uint64_t sample = 0) {
  return {seed, static_cast<std::uint64_t>(purpose) << 56 | epoch, sample << 20};
}

/// 0 … n − 1 in random order (Fisher–Yates).
inline std::vector<std::int64_t> permutation(std::int64_t n, PhiloxSequence random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[random.below(left)]);
  return order;
}

}  // namespace deft
