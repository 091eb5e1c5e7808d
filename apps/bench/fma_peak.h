// The arithmetic ceiling of the processor, measured.
#pragma once

#include "deft/apps/bench/timing.h"

namespace deft::bench {

/// About half a millisecond in which num_threads() threads do nothing but independent fused multiply-adds in the widest
/// registers that the processor has. Touches no memory, so that it can be timed between other things.
void run_fma_burst();

/// float32 operations per second, in GFLOP/s, of the fastest of the bursts timed; a fused multiply-add is two.
double fma_burst_gflops(const Timing& bursts);

}  // namespace deft::bench
