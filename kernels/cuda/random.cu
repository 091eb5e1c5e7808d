#include <cmath>
#include <type_traits>

#include "deft/kernels/cuda/vector_access.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/random.h"
#include "deft/kernels/runtime/cuda/context.h"
#include "deft/kernels/runtime/philox.h"

namespace deft::kernels {
namespace cuda_random {

/// Elements that the four words of a Philox block make, which are as many as fit in 16 bytes.
template <class T>
using Draw = Pack<T, pack_width<T>>;

/// Element j of a block: uniform in [0, 1), with as many random bits as T holds.
template <class T>
__device__ T uniform(const PhiloxBlock& block, int j) {
  if constexpr (std::is_same_v<T, float>) {
    return uniform_float(block.word[j]);
  } else {
    return uniform_double(block.word[2 * j], block.word[2 * j + 1]);
  }
}

template <class T>
struct Uniform {
  T low, high, last;

  __device__ Draw<T> operator()(const PhiloxBlock& block) const {
    Draw<T> draw;
    for (int j = 0; j < pack_width<T>; ++j) {
      const T x = low + (high - low) * uniform<T>(block, j);
      draw[j] = x < last ? x : last;
    }
    return draw;
  }
};

template <class T>
struct Normal {
  T mean, stddev;

  __device__ Draw<T> operator()(const PhiloxBlock& block) const {
    Draw<T> draw;
    for (int j = 0; j < pack_width<T>; j += 2) {
      const double radius = std::sqrt(-2 * std::log(1 - static_cast<double>(uniform<T>(block, j))));
      const double turns = static_cast<double>(uniform<T>(block, j + 1));
      draw[j] = mean + stddev * static_cast<T>(radius * cospi(2 * turns));
      draw[j + 1] = mean + stddev * static_cast<T>(radius * sinpi(2 * turns));
    }
    return draw;
  }
};

struct Integers {
  std::uint64_t low, range;

  __device__ Draw<std::int64_t> operator()(const PhiloxBlock& block) const {
    Draw<std::int64_t> draw;
    for (int j = 0; j < pack_width<std::int64_t>; ++j) {
      const std::uint64_t bits = static_cast<std::uint64_t>(block.word[2 * j]) << 32 | block.word[2 * j + 1];
      draw[j] = static_cast<std::int64_t>(low + multiply_high(bits, range));
    }
    return draw;
  }
};

/// Calls each(block, first, count) for the Philox blocks of this thread, whose `count` elements begin at `first`.
template <class T, class Each>
__device__ void for_each_block(RandomStream random, std::int64_t n, const Each& each) {
  constexpr int width = pack_width<T>;
  for (std::int64_t i = first_index(); i * width < n; i += index_step()) {
    const std::int64_t left = n - i * width;
    each(philox(random.seed, random.stream, static_cast<std::uint64_t>(i)), i * width,
         left < width ? static_cast<int>(left) : width);
  }
}

template <class T, class Function>
__global__ void fill_random_kernel(RandomStream random, std::int64_t n, bool aligned, Function function, T* output) {
  for_each_block<T>(random, n, [&](const PhiloxBlock& block, std::int64_t first, int count) {
    const Draw<T> draw = function(block);
    if (aligned && count == pack_width<T>) return store_pack(output + first, draw);
    for (int j = 0; j < pack_width<T>; ++j) {
      if (j < count) output[first + j] = draw[j];
    }
  });
}

template <class T>
__global__ void dropout_kernel(RandomStream random, std::int64_t n, bool aligned, T factor, T threshold, const T* input,
                               T* output) {
  for_each_block<T>(random, n, [&](const PhiloxBlock& block, std::int64_t first, int count) {
    const auto drop = [&](int j, T x) { return uniform<T>(block, j) >= threshold ? x * factor : T(0); };
    if (!aligned || count < pack_width<T>) {
      for (int j = 0; j < pack_width<T>; ++j) {
        if (j < count) output[first + j] = drop(j, input[first + j]);
      }
      return;
    }
    auto x = load_pack<pack_width<T>>(input + first);
    for (int j = 0; j < pack_width<T>; ++j) x[j] = drop(j, x[j]);
    store_pack(output + first, x);
  });
}

template <class T>
Grid grid_for(std::int64_t n) {
  return Grid(blocks_for((n + pack_width<T> - 1) / pack_width<T>));
}

template <class T, class Function>
void fill(Cuda device, RandomStream random, std::int64_t n, const Function& function, T* output) {
  launch(fill_random_kernel<T, Function>, grid_for<T>(n), block_threads, 0, context(device).stream, random, n,
         is_aligned<pack_width<T>>(output), function, output);
}

}  // namespace cuda_random

template <class T>
void fill_uniform(Cuda device, RandomStream random, std::int64_t n, T low, T high, T* output) {
  // Rounding may lift low + (high − low) · u to high, which the interval excludes.
  const T last = std::fmax(low, std::nextafter(high, low));
  cuda_random::fill(device, random, n, cuda_random::Uniform<T>{low, high, last}, output);
}

template <class T>
void fill_normal(Cuda device, RandomStream random, std::int64_t n, T mean, T stddev, T* output) {
  cuda_random::fill(device, random, n, cuda_random::Normal<T>{mean, stddev}, output);
}

template <class T>
void fill_randint(Cuda device, RandomStream random, std::int64_t n, T low, T high, T* output) {
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  cuda_random::fill(device, random, n, cuda_random::Integers{static_cast<std::uint64_t>(low), range}, output);
}

template <class T>
void dropout(Cuda device, RandomStream random, std::int64_t n, double p, const T* input, T* output) {
  const bool aligned = is_aligned<pack_width<T>>(input) && is_aligned<pack_width<T>>(output);
  launch(cuda_random::dropout_kernel<T>, cuda_random::grid_for<T>(n), block_threads, 0, context(device).stream, random,
         n, aligned, static_cast<T>(1 / (1 - p)), static_cast<T>(p), input, output);
}

#define DEFT_FLOATING(T)                                                     \
  template void fill_uniform<T>(Cuda, RandomStream, std::int64_t, T, T, T*); \
  template void fill_normal<T>(Cuda, RandomStream, std::int64_t, T, T, T*);  \
  template void dropout<T>(Cuda, RandomStream, std::int64_t, double, const T*, T*);

DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)
template void fill_randint<std::int64_t>(Cuda, RandomStream, std::int64_t, std::int64_t, std::int64_t, std::int64_t*);

}  // namespace deft::kernels
