// Messages of the emulator.
#pragma once

#include <string>

#include "kernel_launch.h"

namespace cuda_emulator {

/// Prints "cuda emulator: text" and aborts.
[[noreturn]] void fail(const std::string& text);

/// "(1, 2, 0)".
std::string to_string(const dim3& index);

/// "relu.cu:12".
std::string place(const char* file, int line);

/// The kernel's name as C++ writes it, or empty where the program does not export it (anonymous namespaces).
std::string kernel_name(const void* kernel);

/// "kernel relu_kernel<float>(...) launched at relu.cu:12".
std::string describe(const Launch& launch);

}  // namespace cuda_emulator
