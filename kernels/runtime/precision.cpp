#include "deft/kernels/runtime/precision.h"

#include <atomic>

namespace deft {
namespace {
std::atomic<MatmulPrecision> current_precision = MatmulPrecision::highest;
}

void set_matmul_precision(MatmulPrecision precision) { current_precision = precision; }
MatmulPrecision matmul_precision() { return current_precision; }

}  // namespace deft
