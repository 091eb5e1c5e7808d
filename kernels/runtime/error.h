// The one exception type of deft.
#pragma once

#include <stdexcept>

namespace deft {

/// Thrown for every error that a caller can cause: wrong shapes, wrong options, damaged files, a device that is not
/// there. The text is one line that names the operation or file, what was found and what was expected.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Error, from where none must be made (kernels/runtime/cpu/kernel.h).
[[noreturn]] void throw_error(const char* text);

}  // namespace deft
