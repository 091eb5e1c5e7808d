// Runs the blocks of a launch, one after another, each block's threads on fibers.
//
// A fiber runs one thread after another as long as none has to wait. A thread that waits keeps its fiber, and the next one
// goes on with a thread that need not wait any more, else with threads that have not begun. So a kernel without barriers
// costs a call per thread, and a warp's threads stay close together in time.
#pragma once

#include <string>

#include "kernel_launch.h"
#include "settings.h"

namespace cuda_emulator {

/// Runs all threads of the launch. Aborts when some can never go on.
void run_blocks(const Launch& launch, unsigned char poison, Order order);

/// "kernel ... launched at ..., block (0, 0, 0), thread (5, 0, 0)" where one runs now, else empty.
std::string running_thread();

}  // namespace cuda_emulator
