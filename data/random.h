// The random numbers of the data layer: each a pure function of seed, purpose, epoch and sample, so that neither
// threads nor the order of work can change them.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/philox.h"

namespace deft {

/// What numbers are drawn for. Streams of different purposes never meet, nor the streams of a Generator of the same
/// seed.
enum class Draw : std::uint64_t { shuffle = 1, augment = 2, split = 3, digits = 4 };

/// The numbers drawn for one sample in one epoch: at most 2^22 words. Streams differ up to 2^56 epochs and 2^44
/// samples.
inline PhiloxSequence draws(std::uint64_t seed, Draw purpose, std::uint64_t epoch = 0, std::uint64_t sample = 0) {
  return {seed, static_cast<std::uint64_t>(purpose) << 56 | epoch, sample << 20};
}

}  // namespace deft
