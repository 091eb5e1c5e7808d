#include "deft/kernels/runtime/precision.h"

#include <atomic>

namespace deft {
namespace {
std::atomic<MatmulPrecision> current = MatmulPrecision::highest;
}

void set_matmul_precision(MatmulPrecision precision) { current = precision; }
MatmulPrecision matmul_precision() { return current; }

}  // namespace deft
