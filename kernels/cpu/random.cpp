#include "deft/kernels/random.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "deft/kernels/cpu/strided_loop.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cpu/kernel.h"
#include "deft/kernels/runtime/philox.h"

namespace deft::kernels {
namespace DEFT_SIMD {
namespace {

/// 32-bit words of the stream that an element takes.
template <class T>
inline constexpr std::int64_t words_of = sizeof(T) == 4 ? 1 : 2;

/// A uniform number in [0, 1) from the words of an element, with as many random bits as T holds.
template <class T>
T uniform(const std::uint32_t* words) {
  if constexpr (std::is_same_v<T, float>) {
    return uniform_float(words[0]);
  } else {
    return uniform_double(words[0], words[1]);
  }
}

/// Calls body(begin, count, words) for pieces that cover [0, n), with the words of their elements.
template <class T, class Body>
void for_each_piece(RandomStream random, std::int64_t n, Body&& body) {
  constexpr std::int64_t piece_words = piece_elements * words_of<T>;
  parallel_blocks(n, block_elements, [&](std::int64_t begin, std::int64_t end) {
    std::uint32_t words[piece_words];
    for (; begin < end; begin += piece_elements) {
      const auto first = static_cast<std::uint64_t>(begin * words_of<T> / 4);
#pragma omp simd
      for (std::int64_t i = 0; i < piece_words / 4; ++i) {
        const PhiloxBlock block = philox(random.seed, random.stream, first + static_cast<std::uint64_t>(i));
        for (int j = 0; j < 4; ++j) words[4 * i + j] = block.word[j];
      }
      body(begin, std::min(piece_elements, end - begin), static_cast<const std::uint32_t*>(words));
    }
  });
}

}  // namespace
}  // namespace DEFT_SIMD

using namespace DEFT_SIMD;

template <class T>
void fill_uniform(Set, RandomStream random, std::int64_t n, T low, T high, T* output) {
  // Rounding may lift low + (high − low) · u to high, which the interval excludes.
  const T last = std::max(low, std::nextafter(high, low));
  for_each_piece<T>(random, n, [&](std::int64_t begin, std::int64_t count, const std::uint32_t* words) {
    for (std::int64_t i = 0; i < count; ++i) {
      output[begin + i] = std::min(low + (high - low) * uniform<T>(words + i * words_of<T>), last);
    }
  });
}

template <class T>
void fill_normal(Set, RandomStream random, std::int64_t n, T mean, T stddev, T* output) {
  for_each_piece<T>(random, n, [&](std::int64_t begin, std::int64_t count, const std::uint32_t* words) {
    for (std::int64_t i = 0; i < count; i += 2) {
      const std::uint32_t* pair = words + i * words_of<T>;
      const double radius = std::sqrt(-2 * std::log(1 - static_cast<double>(uniform<T>(pair))));
      const double angle = 6.283185307179586 * static_cast<double>(uniform<T>(pair + words_of<T>));
      output[begin + i] = mean + stddev * static_cast<T>(radius * std::cos(angle));
      if (i + 1 < count) output[begin + i + 1] = mean + stddev * static_cast<T>(radius * std::sin(angle));
    }
  });
}

template <class T>
void fill_randint(Set, RandomStream random, std::int64_t n, T low, T high, T* output) {
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  for_each_piece<T>(random, n, [&](std::int64_t begin, std::int64_t count, const std::uint32_t* words) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint64_t bits = static_cast<std::uint64_t>(words[2 * i]) << 32 | words[2 * i + 1];
      output[begin + i] = static_cast<T>(static_cast<std::uint64_t>(low) + multiply_high(bits, range));
    }
  });
}

template <class T>
void dropout(Set, RandomStream random, std::int64_t n, double p, const T* input, T* output) {
  const T factor = static_cast<T>(1 / (1 - p)), threshold = static_cast<T>(p);
  for_each_piece<T>(random, n, [&](std::int64_t begin, std::int64_t count, const std::uint32_t* words) {
    const T* x = input + begin;
    T* y = output + begin;
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
      const T kept = x[i] * factor;
      y[i] = uniform<T>(words + i * words_of<T>) >= threshold ? kept : T(0);
    }
  });
}

#define DEFT_FLOATING(T)                                                 \
  template void fill_uniform(Set, RandomStream, std::int64_t, T, T, T*); \
  template void fill_normal(Set, RandomStream, std::int64_t, T, T, T*);  \
  template void dropout(Set, RandomStream, std::int64_t, double, const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)
template void fill_randint(Set, RandomStream, std::int64_t, std::int64_t, std::int64_t, std::int64_t*);

}  // namespace deft::kernels
