// The machine that a program runs on, for summaries and benchmarks.
#pragma once

#include <string>

#include "deft/kernels/device.h"

namespace deft::support {

/// The processor's name as the system gives it ("AMD EPYC 9R14"), or "unknown processor".
std::string processor_name();

/// That and the available cores, as in "AMD EPYC, 2 cores", and before them the GPU's name if that is the device that computes.
std::string machine_name(Device device = Device::cpu());

}  // namespace deft::support
