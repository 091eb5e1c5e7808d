#include "deft/apps/bench/fma_peak.h"

#include <cstdint>
#include <numeric>
#include <vector>

#include "deft/kernels/runtime/parallel_for.h"

namespace deft::bench {

namespace {

constexpr int accumulators = 12;  // latency of 4 cycles times 2 units, and a margin; 12 fit in 16 registers
constexpr std::int64_t rounds = 350'000;

typedef float Vector16 __attribute__((vector_size(64)));
typedef float Vector8 __attribute__((vector_size(32)));
typedef float Vector4 __attribute__((vector_size(16)));

// One copy per instruction set, in functions of their own so that each is compiled for its own.
template <class Vector>
[[gnu::always_inline]] inline float fma_loop() {
  // All different, so that the compiler cannot merge any.
  constexpr int lanes = sizeof(Vector) / sizeof(float);
  Vector sums[accumulators], factor, addend;
  for (int lane = 0; lane < lanes; ++lane) {
    factor[lane] = 0.999999f - 1e-6f * static_cast<float>(lane);
    addend[lane] = 1e-6f;
    for (int i = 0; i < accumulators; ++i) sums[i][lane] = static_cast<float>(lanes * i + lane);
  }
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < accumulators; ++i) sums[i] = sums[i] * factor + addend;
  }
  float total = 0;
  for (const Vector& sum : sums) {
    for (int lane = 0; lane < lanes; ++lane) total += sum[lane];
  }
  return total;
}

struct Loop {
  float (*run)();
  int lanes;
};

#if defined(__x86_64__)
[[gnu::target("avx512f,fma")]] float loop_avx512() { return fma_loop<Vector16>(); }
[[gnu::target("avx2,fma")]] float loop_avx2() { return fma_loop<Vector8>(); }
#endif
float loop_baseline() { return fma_loop<Vector4>(); }

Loop widest_loop() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {loop_avx512, 16};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {loop_avx2, 8};
#endif
  return {loop_baseline, 4};
}

}  // namespace

void run_fma_burst() {
  std::vector<float> results(static_cast<std::size_t>(num_threads()));
  parallel_for(num_threads(), [&](std::int64_t i) { results[static_cast<std::size_t>(i)] = widest_loop().run(); });
  volatile float sink = std::accumulate(results.begin(), results.end(), 0.0f);  // or the loops would be dead code
  static_cast<void>(sink);
}

double fma_burst_gflops(const Timing& bursts) {
  const double operations = 2.0 * static_cast<double>(rounds) * accumulators * widest_loop().lanes * num_threads();
  return 1e-6 * operations / bursts.min_ms;
}

}  // namespace deft::bench
