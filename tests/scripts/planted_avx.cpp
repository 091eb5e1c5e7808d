// What instruction_sets_test.sh must find: a template that several files may share, compiled for AVX-512 in this one.
template <class T>
[[gnu::noinline]] void planted_leak(T* values) {
  for (int i = 0; i < 64; ++i) values[i] = 2 * values[i] + 1;
}

namespace simd_avx512 {
void kernel(float* values) { planted_leak(values); }
}  // namespace simd_avx512
