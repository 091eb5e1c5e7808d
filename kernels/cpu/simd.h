// Vectors of the instruction set that the including file is compiled for. Everything that uses them stands in the
// namespace DEFT_SIMD, whose name tells the set, so that one source can be compiled for several and linked together.
#pragma once

#include <cstdint>

#if defined(__AVX512F__)
#define DEFT_SIMD simd_avx512
#define DEFT_SIMD_BYTES 64
#elif defined(__AVX2__) && defined(__FMA__)
#define DEFT_SIMD simd_avx2
#define DEFT_SIMD_BYTES 32
#else
#define DEFT_SIMD simd_baseline
#define DEFT_SIMD_BYTES 16
#endif

// Before a loop over registers: it must unroll completely, or the array lands in memory.
#if defined(__clang__)
#define DEFT_UNROLL _Pragma("clang loop unroll(full)")
#else
#define DEFT_UNROLL _Pragma("GCC unroll 16")
#endif

namespace deft::kernels::DEFT_SIMD {

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(DEFT_SIMD_BYTES)));
};

template <class T>
using Vector = typename VectorOf<T>::type;

/// Elements of T in a vector.
template <class T>
constexpr std::int64_t lanes = DEFT_SIMD_BYTES / static_cast<std::int64_t>(sizeof(T));

template <class T>
inline Vector<T> load(const T* from) {
  Vector<T> vector;
  __builtin_memcpy(&vector, from, sizeof vector);
  return vector;
}

template <class T>
inline void store(T* to, Vector<T> vector) {
  __builtin_memcpy(to, &vector, sizeof vector);
}

template <class T>
inline void store_first(T* to, Vector<T> vector, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = vector[i];
}

template <class T>
inline Vector<T> broadcast(T value) {
  return value - Vector<T>{};
}

/// `vector` with zeros in all but its first `count` lanes.
template <class T>
inline Vector<T> first_lanes(Vector<T> vector, std::int64_t count) {
  T kept[2 * lanes<T>] = {};
  for (std::int64_t i = 0; i < lanes<T>; ++i) kept[i] = 1;
  return load(kept + lanes<T> - count) > Vector<T>{} ? vector : Vector<T>{};
}

/// Sum of all lanes.
template <class T>
inline T sum(Vector<T> vector) {
  T part[lanes<T>];
  store(part, vector);
  for (std::int64_t half = lanes<T> / 2; half > 0; half /= 2) {
    for (std::int64_t i = 0; i < half; ++i) part[i] += part[i + half];
  }
  return part[0];
}

template <class T>
constexpr std::int64_t round_up_to_lanes(std::int64_t n) {
  return (n + lanes<T> - 1) / lanes<T> * lanes<T>;
}

}  // namespace deft::kernels::DEFT_SIMD
