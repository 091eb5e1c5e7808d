// The arithmetic ceiling of the processor, measured.
#pragma once

namespace deft::bench {

/// float32 operations per second, in GFLOP/s, of num_threads() threads that do nothing but independent fused multiply-adds
/// (two operations each) in the widest registers the processor has: the best of several runs of a few milliseconds.
double fma_peak_gflops();

}  // namespace deft::bench
