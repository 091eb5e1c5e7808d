#include "deft/kernels/runtime/error.h"

namespace deft {

void throw_error(const char* text) { throw Error(text); }

}  // namespace deft
