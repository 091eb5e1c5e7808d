#include "deft/core/generator.h"

namespace deft {

Generator& default_generator() {
  static Generator generator;
  return generator;
}

void manual_seed(std::uint64_t seed) { default_generator().set_state(seed); }

}  // namespace deft
