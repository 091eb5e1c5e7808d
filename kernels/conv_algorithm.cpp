#include "deft/kernels/conv_algorithm.h"

#include <atomic>

namespace deft {
namespace {
std::atomic<Conv2dAlgorithm> current_algorithm = Conv2dAlgorithm::automatic;
}

void set_conv2d_algorithm(Conv2dAlgorithm algorithm) { current_algorithm = algorithm; }
Conv2dAlgorithm conv2d_algorithm() { return current_algorithm; }

}  // namespace deft
