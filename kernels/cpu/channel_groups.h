// Loops over the channels of channels-last images, whatever their number, in registers.
#pragma once

#include <cstdint>

#include "deft/kernels/runtime/cpu/simd.h"

namespace deft::kernels::DEFT_SIMD {

/// Elements of V.
template <class V, class T>
constexpr std::int64_t width = static_cast<std::int64_t>(sizeof(V) / sizeof(T));

/// Neighbouring channels in groups of `count` values of type V, whole vectors, small vectors or single numbers, that
/// stay in registers.
template <class V, int count>
struct Groups {
  std::int64_t channels;
};

template <class T>
struct SmallVectorOf {
  typedef T type __attribute__((vector_size(16)));
};

/// Calls body(first channel, groups) for what covers the channels, large groups first.
template <class T, class Body>
inline void for_channel_groups(std::int64_t channels, const Body& body) {
  std::int64_t first = 0;
  const auto cover = [&]<class V, int count>(Groups<V, count> groups) {
    constexpr std::int64_t size = count * width<V, T>;
    groups.channels = (channels - first) / size * size;
    if (groups.channels > 0) body(first, groups);
    first += groups.channels;
  };
  cover(Groups<Vector<T>, 4>());
  cover(Groups<Vector<T>, 2>());
  cover(Groups<Vector<T>, 1>());
  cover(Groups<typename SmallVectorOf<T>::type, 1>());
  cover(Groups<T, 1>());
}

template <class V, class T>
inline V load_as(const T* from) {
  V value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

template <class V, class T>
inline void store_as(T* to, V value) {
  __builtin_memcpy(to, &value, sizeof value);
}

}  // namespace deft::kernels::DEFT_SIMD
