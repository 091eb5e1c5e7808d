// The machine that a program runs on, for summaries and benchmarks.
#pragma once

#include <string>

namespace deft::support {

/// The processor's name as the system gives it ("AMD EPYC 9R14"), or "unknown processor".
std::string processor_name();

/// Cores that this process may use.
int available_cores();

/// Both, as in "AMD EPYC, 2 cores".
std::string machine_name();

}  // namespace deft::support
