// Vectors as wide as the instruction set's that the including file is compiled for; kernel.h has the rules for such
// files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "deft/kernels/runtime/cpu/kernel.h"

#ifdef __AVX2__
#include <immintrin.h>
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

/// Integers as wide as T: what comparisons of vectors give, 0 or −1 in each lane.
template <class T>
using Integer = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

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

/// Sets `count` elements to zero; `to` may be null where there are none, which memset does not allow.
template <class T>
inline void clear(T* to, std::int64_t count) {
  if (count > 0) __builtin_memset(to, 0, static_cast<std::size_t>(count) * sizeof(T));
}

/// Copies `count` elements; the pointers may be null where there are none, as for clear.
template <class T>
inline void copy_elements(T* to, const T* from, std::int64_t count) {
  if (count > 0) __builtin_memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
}

template <class T>
inline Vector<T> broadcast(T value) {
  return value - Vector<T>{};
}

template <class T, int... i>
inline Vector<T> lane_numbers(std::integer_sequence<int, i...>) {
  return Vector<T>{static_cast<T>(i)...};
}

template <class T>
inline Vector<T> lane_numbers() {
  return lane_numbers<T>(std::make_integer_sequence<int, static_cast<int>(lanes<T>)>());
}

/// The first `count` elements (all, where there are more), and zeros in the other lanes; reads no others.
template <class T>
inline Vector<T> load_first(const T* from, std::int64_t count) {
  if (count >= lanes<T>) return load(from);
#if DEFT_SIMD_BYTES == 64
  const unsigned mask = (1U << count) - 1;
  if constexpr (sizeof(T) == 4) {
    return reinterpret_cast<Vector<T>>(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), from));
  } else {
    return reinterpret_cast<Vector<T>>(_mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), from));
  }
#elif DEFT_SIMD_BYTES == 32
  const auto mask = lane_numbers<Integer<T>>() < broadcast(static_cast<Integer<T>>(count));
  if constexpr (sizeof(T) == 4) {
    return reinterpret_cast<Vector<T>>(_mm256_maskload_ps(from, reinterpret_cast<__m256i>(mask)));
  } else {
    return reinterpret_cast<Vector<T>>(_mm256_maskload_pd(from, reinterpret_cast<__m256i>(mask)));
  }
#else
  Vector<T> vector = {};
  for (std::int64_t i = 0; i < count; ++i) vector[i] = from[i];
  return vector;
#endif
}

/// Writes the first `count` lanes (all, where there are fewer) and nothing else.
template <class T>
inline void store_first(T* to, Vector<T> vector, std::int64_t count) {
  if (count >= lanes<T>) {
    store(to, vector);
    return;
  }
#if DEFT_SIMD_BYTES == 64
  const unsigned mask = (1U << count) - 1;
  if constexpr (sizeof(T) == 4) {
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>(mask), reinterpret_cast<__m512>(vector));
  } else {
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>(mask), reinterpret_cast<__m512d>(vector));
  }
#elif DEFT_SIMD_BYTES == 32
  const auto mask = lane_numbers<Integer<T>>() < broadcast(static_cast<Integer<T>>(count));
  if constexpr (sizeof(T) == 4) {
    _mm256_maskstore_ps(to, reinterpret_cast<__m256i>(mask), reinterpret_cast<__m256>(vector));
  } else {
    _mm256_maskstore_pd(to, reinterpret_cast<__m256i>(mask), reinterpret_cast<__m256d>(vector));
  }
#else
  for (std::int64_t i = 0; i < count; ++i) to[i] = vector[i];
#endif
}

/// The first `count` lanes of `vector`, and the others of `other`.
template <class T>
inline Vector<T> first_lanes(Vector<T> vector, std::int64_t count, Vector<T> other) {
  return lane_numbers<T>() < broadcast(static_cast<T>(count)) ? vector : other;
}

/// The lanes of `a` and `b` are sums in parts, `block` lanes each; halves the parts of each: sums of block / 2 lanes.
template <int block, class V, int... i>
inline V fold_blocks(V a, V b, std::integer_sequence<int, i...>) {
  constexpr int half = block / 2;
  return __builtin_shufflevector(a, b, (i / half * block + i % half)...) +
         __builtin_shufflevector(a, b, (i / half * block + half + i % half)...);
}

template <int block, class T>
inline Vector<T> fold(Vector<T> a, Vector<T> b) {
  return fold_blocks<block>(a, b, std::make_integer_sequence<int, static_cast<int>(lanes<T>)>());
}

/// The even (first = 0) or odd (first = 1) lanes of a followed by those of b.
template <int first, class V, int... i>
inline V every_second(V a, V b, std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(a, b, (2 * i + first)...);
}

/// The lower (half = 0) or upper half of the lanes of `a`, each followed by that of `b`.
template <int half, class V, int... i>
inline V interleave(V a, V b, std::integer_sequence<int, i...>) {
  constexpr int n = sizeof...(i);
  return __builtin_shufflevector(a, b, (i % 2 * n + half * (n / 2) + i / 2)...);
}

/// rows[i][j] becomes rows[j][i].
template <class T>
__attribute__((no_sanitize("undefined"))) inline void transpose(Vector<T> (&rows)[lanes<T>]) {
  constexpr int n = static_cast<int>(lanes<T>);
  constexpr auto indices = std::make_integer_sequence<int, n>();
  // Each round moves the highest bit of the row's number to the lowest of the lane's.
  DEFT_UNROLL
  for (int round = n; round > 1; round /= 2) {
    Vector<T> shuffled[n];
    DEFT_UNROLL
    for (int i = 0; i < n / 2; ++i) {
      shuffled[2 * i] = interleave<0>(rows[i], rows[i + n / 2], indices);
      shuffled[2 * i + 1] = interleave<1>(rows[i], rows[i + n / 2], indices);
    }
    DEFT_UNROLL
    for (int i = 0; i < n; ++i) rows[i] = shuffled[i];
  }
}

/// Reads lanes<T> pairs.
template <class T>
inline void load_pairs(const T* from, Vector<T>& first, Vector<T>& second) {
  constexpr auto indices = std::make_integer_sequence<int, static_cast<int>(lanes<T>)>();
  const Vector<T> a = load(from), b = load(from + lanes<T>);
  first = every_second<0>(a, b, indices);
  second = every_second<1>(a, b, indices);
}

/// Lanes first, first + 1, … of a and b in turn.
template <int first, class V, int... i>
inline V in_turn(V a, V b, std::integer_sequence<int, i...>) {
  constexpr int n = static_cast<int>(sizeof...(i));
  return __builtin_shufflevector(a, b, (first + i / 2 + i % 2 * n)...);
}

/// Writes lanes<T> pairs.
template <class T>
inline void store_pairs(T* to, Vector<T> first, Vector<T> second) {
  constexpr int n = static_cast<int>(lanes<T>);
  constexpr auto indices = std::make_integer_sequence<int, n>();
  store(to, in_turn<0>(first, second, indices));
  store(to + n, in_turn<n / 2>(first, second, indices));
}

/// Elements that store_parts writes.
template <class T>
constexpr std::int64_t parts_size = lanes<T> < 4 ? 4 : lanes<T>;

/// Starts to sum the lanes of each of four vectors, as far as the sums share a vector; sums_of_parts does the rest.
template <class T>
inline void store_parts(Vector<T> a, Vector<T> b, Vector<T> c, Vector<T> d, T* to) {
  constexpr int n = static_cast<int>(lanes<T>);
  const Vector<T> ab = fold<n, T>(a, b), cd = fold<n, T>(c, d);
  if constexpr (n == 2) {
    store(to, ab);
    store(to + 2, cd);
  } else {
    store(to, fold<n / 2, T>(ab, cd));
  }
}

/// The next whole vector of sums from parts of `count` quadruples of vectors.
template <class T, int count>
inline Vector<T> fold_parts(const T* from) {
  if constexpr (count == 1) {
    return load(from);
  } else {
    constexpr int half = count / 2;
    return fold<static_cast<int>(lanes<T>) / (2 * count), T>(fold_parts<T, half>(from),
                                                             fold_parts<T, half>(from + half * lanes<T>));
  }
}

/// The sums of lanes<T> quadruples from what store_parts wrote for each: sums[0] holds those of the first vectors, …
template <class T>
inline void sums_of_parts(const T* from, Vector<T> (&sums)[4]) {
  constexpr auto indices = std::make_integer_sequence<int, static_cast<int>(lanes<T>)>();
  constexpr int count = lanes<T> < 4 ? 1 : static_cast<int>(lanes<T>) / 4;
  Vector<T> quadruples[4];
  DEFT_UNROLL
  for (int i = 0; i < 4; ++i) quadruples[i] = fold_parts<T, count>(from + i * count * lanes<T>);
  DEFT_UNROLL
  for (int i = 0; i < 2; ++i) {
    const Vector<T> even = every_second<0>(quadruples[2 * i], quadruples[2 * i + 1], indices);
    const Vector<T> odd = every_second<1>(quadruples[2 * i], quadruples[2 * i + 1], indices);
    quadruples[2 * i] = even;
    quadruples[2 * i + 1] = odd;
  }
  sums[0] = every_second<0>(quadruples[0], quadruples[2], indices);
  sums[1] = every_second<0>(quadruples[1], quadruples[3], indices);
  sums[2] = every_second<1>(quadruples[0], quadruples[2], indices);
  sums[3] = every_second<1>(quadruples[1], quadruples[3], indices);
}

template <class T>
constexpr std::int64_t round_up_to_lanes(std::int64_t n) {
  return (n + lanes<T> - 1) / lanes<T> * lanes<T>;
}

}  // namespace deft::kernels::DEFT_SIMD
