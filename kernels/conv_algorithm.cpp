#include "deft/kernels/conv_algorithm.h"

#include <atomic>

namespace deft {
namespace {
std::atomic<Conv2dAlgorithm> current = Conv2dAlgorithm::automatic;
}

void set_conv2d_algorithm(Conv2dAlgorithm algorithm) { current = algorithm; }
Conv2dAlgorithm conv2d_algorithm() { return current; }

}  // namespace deft
