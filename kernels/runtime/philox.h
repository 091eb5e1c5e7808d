// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#pragma once

#include <cmath>
#include <cstdint>

#include "deft/kernels/runtime/host_device.h"

namespace deft {

/// Four random 32-bit words.
struct PhiloxBlock {
  std::uint32_t word[4];
};

/// The block of random words at (stream, index) of the generator with this seed: a pure function of its arguments, so
/// that results depend neither on the order of calls nor on threads.
// Inlined as early as DEFT_HOST_DEVICE asks for, its loop would keep the one around a call from becoming vector code.
// That the linker keeps no AVX-512 copy of it all the same is what the test "instruction sets" sees to.
#ifdef __CUDACC__
__host__ __device__
#endif
    inline PhiloxBlock
    philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  std::uint32_t c0 = static_cast<std::uint32_t>(index), c1 = static_cast<std::uint32_t>(index >> 32);
  std::uint32_t c2 = static_cast<std::uint32_t>(stream), c3 = static_cast<std::uint32_t>(stream >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = 0xD2511F53ull * c0, p1 = 0xCD9E8D57ull * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/// Uniform in [0, 1) with 24 random bits.
DEFT_HOST_DEVICE inline float uniform_float(std::uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

/// Uniform in [0, 1) with 53 random bits.
DEFT_HOST_DEVICE inline double uniform_double(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

/// The upper 64 bits of a · b: maps 64 random bits to an integer below b, with a bias below b / 2^64.
DEFT_HOST_DEVICE inline std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t low_product = (a & 0xffffffffu) * (b & 0xffffffffu);
  const std::uint64_t middle = (a >> 32) * (b & 0xffffffffu) + (low_product >> 32);
  const std::uint64_t middle2 = (a & 0xffffffffu) * (b >> 32) + (middle & 0xffffffffu);
  return (a >> 32) * (b >> 32) + (middle >> 32) + (middle2 >> 32);
}

/// The words of one stream, one after another.
class PhiloxSequence {
 public:
  DEFT_HOST_DEVICE PhiloxSequence(std::uint64_t seed, std::uint64_t stream, std::uint64_t index = 0)
      : seed_(seed), stream_(stream), index_(index) {}

  DEFT_HOST_DEVICE std::uint32_t next() {
    if (used_ == 4) {
      block_ = philox(seed_, stream_, index_++);
      used_ = 0;
    }
    return block_.word[used_++];
  }

  /// Uniform in [0, 1).
  DEFT_HOST_DEVICE double uniform() {
    const std::uint32_t high = next();
    return uniform_double(high, next());
  }

  /// Uniform in [low, high).
  DEFT_HOST_DEVICE double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// Standard normal (Box–Muller).
  DEFT_HOST_DEVICE double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

  /// Uniform integer in [0, n), n >= 1.
  DEFT_HOST_DEVICE std::uint64_t below(std::uint64_t n) {
    const std::uint64_t high = next();
    return multiply_high(high << 32 | next(), n);
  }

 private:
  std::uint64_t seed_, stream_, index_;
  PhiloxBlock block_{};
  int used_ = 4;
};

}  // namespace deft
