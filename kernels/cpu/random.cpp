#include "deft/kernels/random.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "deft/kernels/cpu/instantiate.h"
#include "deft/kernels/cpu/strided_loop.h"
#include "deft/kernels/philox.h"

namespace deft::kernels {
namespace {

/// Elements that share a block of four random words.
template <class T>
inline constexpr std::int64_t per_block = sizeof(T) == 4 ? 4 : 2;

/// The j-th uniform number in [0, 1) of a block, with as many random bits as T holds.
template <class T>
T uniform(const PhiloxBlock& block, std::int64_t j) {
  if constexpr (std::is_same_v<T, float>) {
    return uniform_float(block.word[j]);
  } else {
    return uniform_double(block.word[2 * j], block.word[2 * j + 1]);
  }
}

/// Calls body(i, block, j) for every i in [0, n), where element i is the j-th of its block.
template <class T, class Body>
void for_each_draw(RandomStream random, std::int64_t n, Body&& body) {
  constexpr std::int64_t width = per_block<T>;
  static_assert(block_elements % width == 0);
  parallel_blocks(n, block_elements, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += width) {
      const PhiloxBlock block = philox(random.seed, random.stream, static_cast<std::uint64_t>(first / width));
      for (std::int64_t i = first; i < std::min(first + width, end); ++i) body(i, block, i - first);
    }
  });
}

}  // namespace

template <class T>
void fill_uniform(Cpu, RandomStream random, std::int64_t n, T low, T high, T* output) {
  // Rounding may lift low + (high − low) · u to high, which the interval excludes.
  const T last = std::max(low, std::nextafter(high, low));
  for_each_draw<T>(random, n, [&](std::int64_t i, const PhiloxBlock& block, std::int64_t j) {
    output[i] = std::min(low + (high - low) * uniform<T>(block, j), last);
  });
}

template <class T>
void fill_normal(Cpu, RandomStream random, std::int64_t n, T mean, T stddev, T* output) {
  for_each_draw<T>(random, n, [&](std::int64_t i, const PhiloxBlock& block, std::int64_t j) {
    const std::int64_t first = j & ~std::int64_t{1};
    const double radius = std::sqrt(-2 * std::log(1 - static_cast<double>(uniform<T>(block, first))));
    const double angle = 6.283185307179586 * static_cast<double>(uniform<T>(block, first + 1));
    const double normal = radius * (j == first ? std::cos(angle) : std::sin(angle));
    output[i] = mean + stddev * static_cast<T>(normal);
  });
}

void fill_randint(Cpu, RandomStream random, std::int64_t n, std::int64_t low, std::int64_t high, std::int64_t* output) {
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  for_each_draw<std::int64_t>(random, n, [&](std::int64_t i, const PhiloxBlock& block, std::int64_t j) {
    const std::uint64_t bits = static_cast<std::uint64_t>(block.word[2 * j]) << 32 | block.word[2 * j + 1];
    output[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + multiply_high(bits, range));
  });
}

template <class T>
void dropout(Cpu, RandomStream random, std::int64_t n, double p, const T* input, T* output) {
  const T factor = static_cast<T>(1 / (1 - p)), threshold = static_cast<T>(p);
  for_each_draw<T>(random, n, [&](std::int64_t i, const PhiloxBlock& block, std::int64_t j) {
    output[i] = uniform<T>(block, j) >= threshold ? input[i] * factor : T(0);
  });
}

#define DEFT_FLOATING(T)                                                    \
  template void fill_uniform<T>(Cpu, RandomStream, std::int64_t, T, T, T*); \
  template void fill_normal<T>(Cpu, RandomStream, std::int64_t, T, T, T*);  \
  template void dropout<T>(Cpu, RandomStream, std::int64_t, double, const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
