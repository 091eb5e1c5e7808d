#include "deft/kernels/error.h"

namespace deft {

void throw_error(const char* text) { throw Error(text); }

}  // namespace deft
