// Sources of random numbers.
#pragma once

#include <cstdint>

namespace deft {

/// A counter-based generator (Philox). Every random tensor takes the next stream; element i of it is a pure function of
/// seed, stream and i, so that results do not depend on devices or threads. Not for use by several threads at once.
class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0) : seed_(seed) {}

  std::uint64_t seed() const { return seed_; }
  /// Streams taken so far; with the seed, the whole state.
  std::uint64_t position() const { return position_; }
  std::uint64_t next_stream() { return position_++; }

  /// Starts again with this seed and, to restore a saved state, at this position.
  void set_state(std::uint64_t seed, std::uint64_t position = 0) {
    seed_ = seed;
    position_ = position;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t position_ = 0;
};

/// The generator that random functions, initialisers and dropout use unless they are given another.
Generator& default_generator();

/// Restarts the default generator with this seed.
void manual_seed(std::uint64_t seed);

}  // namespace deft
