// The machine that a program runs on, for summaries and benchmarks.
#pragma once

#include <string>

#include "deft/kernels/runtime/device.h"

namespace deft::support {

/// The processor's name as the system gives it ("AMD EPYC 9R14"), or "unknown processor".
std::string processor_name();

/// The processor's name and its available cores, "AMD EPYC, 2 cores"; for a GPU, its name and then these.
std::string machine_name(Device device = Device::cpu());

}  // namespace deft::support
