// Digits drawn by a program, for when no data can be had.
#pragma once

#include <cstdint>

#include "deft/data/dataset.h"

namespace deft {

/// `count` digits in MNIST's format, 28×28, white on black: strokes bent, slanted, turned, stretched, shifted and
/// thickened at random. Sample i depends on seed, part and i alone. Much easier than MNIST: results on these say that
/// the machinery works and no more, and the data set says so (`synthetic`). Throws Error for a negative count.
Dataset synthetic_digits(std::int64_t count, Part part, std::uint64_t seed = 0);

}  // namespace deft
