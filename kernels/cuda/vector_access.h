// Loads and stores of several neighbouring elements at once.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels {

/// `width` neighbouring elements, which one instruction loads or stores where they are 16, 8 or 4 bytes.
template <class T, int width>
struct alignas(sizeof(T) * width) Pack {
  T lane[width];

  __device__ T& operator[](int i) { return lane[i]; }
  __device__ const T& operator[](int i) const { return lane[i]; }
};

/// Elements of T in the widest access, 16 bytes.
template <class T>
inline constexpr int pack_width = 16 / static_cast<int>(sizeof(T));

/// Reads a pack; `from` is aligned to it.
template <int width, class T>
__device__ Pack<T, width> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T, width>*>(from);
}

/// Writes a pack; `to` is aligned to it.
template <int width, class T>
__device__ void store_pack(T* to, const Pack<T, width>& pack) {
  *reinterpret_cast<Pack<T, width>*>(to) = pack;
}

/// Writes a pack to the elements from `element` on, a multiple of its width. For indices that are sums of products:
/// nvcc splits store_pack to such an address into single elements.
template <int width, class T>
__device__ void store_pack_at(T* array, std::int64_t element, const Pack<T, width>& pack) {
  reinterpret_cast<Pack<T, width>*>(array)[element / width] = pack;
}

/// Whether packs of `width` elements can be read from `pointer`, at its alignment.
template <int width, class T>
DEFT_HOST_DEVICE inline bool is_aligned(const T* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer) % (sizeof(T) * width) == 0;
}

/// Whether arrays at these pointers, in rows of `n` elements, can be read in packs of `width` throughout.
template <int width, class... T>
bool packs_fit(std::int64_t n, const T*... pointers) {
  return n % width == 0 && (is_aligned<width>(pointers) && ...);
}

/// Calls body(std::integral_constant<int, width>()) with pack_width<T> if arrays at these pointers, in rows of `n`
/// elements, can be read in such packs throughout, else with 1. Null pointers fit.
template <class T, class Body, class... Elements>
void with_pack_width(std::int64_t n, const Body& body, const Elements*... pointers) {
  if (packs_fit<pack_width<T>>(n, pointers...)) {
    body(std::integral_constant<int, pack_width<T>>());
  } else {
    body(std::integral_constant<int, 1>());
  }
}

}  // namespace deft::kernels
