// The address sanitizer's interface where it is on.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define DEFT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DEFT_ADDRESS_SANITIZER 1
#endif
#endif

#ifdef DEFT_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace cuda_emulator {

#ifdef DEFT_ADDRESS_SANITIZER
inline constexpr bool address_sanitizer = true;
inline void forbid(const void* address, std::size_t bytes) { __asan_poison_memory_region(address, bytes); }
inline void allow(const void* address, std::size_t bytes) { __asan_unpoison_memory_region(address, bytes); }
#else
inline constexpr bool address_sanitizer = false;
inline void forbid(const void*, std::size_t) {}
inline void allow(const void*, std::size_t) {}
#endif

}  // namespace cuda_emulator
