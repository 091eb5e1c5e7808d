// What stands in for gif.cpp in a build without giflib.
#include "deft/apps/support/gif.h"
#include "deft/kernels/runtime/error.h"

namespace deft::support {

bool can_animate() { return false; }

std::string gif(const std::vector<Tensor>&, double) {
  throw Error("deft was built without giflib, which makes animations");
}

}  // namespace deft::support
