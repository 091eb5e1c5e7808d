// The check that a launch's results depend neither on memory that nobody wrote nor on the order of its threads.
#pragma once

#include "device_memory.h"
#include "kernel_launch.h"
#include "settings.h"

namespace cuda_emulator {

/// Runs the launch with every poison pattern, in shared memory and in device memory to which nothing was written yet, and
/// with every order, each time on the same other device memory; aborts when the bits that it leaves there differ. The
/// memory, which is open, is left as one run makes it.
void check_launch(const Launch& launch, const Settings& how, DeviceMemory& memory);

}  // namespace cuda_emulator
