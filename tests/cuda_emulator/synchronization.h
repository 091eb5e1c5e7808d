// What threads of a block do together: barriers, warp shuffles and votes, atomics.
//
// A barrier or collective is known by the file and line of its call; all threads that meet in it must come from there.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernel_launch.h"

namespace cuda_emulator {

struct BarrierResult {
  int count;    // threads whose predicate held
  int threads;  // of the block
};

/// Waits for all threads of the block.
BarrierResult barrier(bool predicate, const char* file, int line);

/// Waits until every lane of `mask` is here; then `combine` is called once with what each lane brought (null for lanes
/// outside the mask) and leaves there what each lane takes away. Any other state is shared at the caller's risk.
using Combine = void (*)(void* const* lanes, unsigned mask);
void collective(unsigned mask, void* mine, Combine combine, const char* file, int line);

/// collective() for a type: lanes[i] points to lane i's `mine`.
template <class T>
void warp_collective(unsigned mask, T& mine, void (*combine)(T* const* lanes, unsigned mask),
                     const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  struct Call {
    T* mine;
    void (*combine)(T* const*, unsigned);
  } call{&mine, combine};
  const Combine unpack = [](void* const* lanes, unsigned mask) {
    T* values[32] = {};
    void (*combine)(T* const*, unsigned) = nullptr;
    for (int lane = 0; lane < 32; ++lane) {
      if (lanes[lane] == nullptr) continue;
      values[lane] = static_cast<Call*>(lanes[lane])->mine;
      combine = static_cast<Call*>(lanes[lane])->combine;
    }
    combine(values, mask);
  };
  collective(mask, &call, unpack, file, line);
}

unsigned lane_index();
unsigned active_lanes();
unsigned char poison();

enum class Shuffle { index, up, down, exclusive_or };

// The lane that `lane` reads, which is itself where the other one would lie outside its segment of `width` lanes.
inline int shuffle_source(Shuffle kind, int lane, int argument, int width) {
  const int first = lane & ~(width - 1), last = first + width - 1;
  switch (kind) {
    case Shuffle::index:
      return first + (argument & (width - 1));
    case Shuffle::up:
      return lane - argument < first ? lane : lane - argument;
    case Shuffle::down:
      return lane + argument > last ? lane : lane + argument;
    case Shuffle::exclusive_or:
      return (lane ^ argument) > last ? lane : lane ^ argument;
  }
  return lane;
}

struct ShuffleLane {
  Shuffle kind;
  int argument, width;
  std::uint64_t value, result;
};

void combine_shuffle(ShuffleLane* const* lanes, unsigned mask);

template <class T>
T shuffle(Shuffle kind, unsigned mask, T value, int argument, int width, const char* file, int line) {
  static_assert(std::is_arithmetic_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "CUDA shuffles 4 or 8 bytes");
  ShuffleLane lane{kind, argument, width, 0, 0};
  std::memcpy(&lane.value, &value, sizeof(T));
  warp_collective(mask, lane, combine_shuffle, file, line);
  std::memcpy(&value, &lane.result, sizeof(T));
  return value;
}

/// The lanes of `mask` whose predicate holds.
unsigned vote(unsigned mask, bool predicate, const char* file, int line);

template <class T, class Change>
T atomic(T* address, Change change) {
  const T before = *address;
  *address = change(before);
  return before;
}

}  // namespace cuda_emulator

// Where a call stands, as parameters that no caller gives.
#define DEFT_CALLER const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(DEFT_CALLER) { cuda_emulator::barrier(false, file, line); }
inline int __syncthreads_count(int predicate, DEFT_CALLER) {
  return cuda_emulator::barrier(predicate != 0, file, line).count;
}
inline int __syncthreads_or(int predicate, DEFT_CALLER) {
  return cuda_emulator::barrier(predicate != 0, file, line).count > 0;
}
inline int __syncthreads_and(int predicate, DEFT_CALLER) {
  const cuda_emulator::BarrierResult result = cuda_emulator::barrier(predicate != 0, file, line);
  return result.count == result.threads;
}

inline void __syncwarp(unsigned mask = 0xffffffffu, DEFT_CALLER) {
  cuda_emulator::collective(
      mask, &mask, [](void* const*, unsigned) {}, file, line);
}
inline unsigned __activemask() { return cuda_emulator::active_lanes(); }
inline unsigned __ballot_sync(unsigned mask, int predicate, DEFT_CALLER) {
  return cuda_emulator::vote(mask, predicate != 0, file, line);
}
inline int __any_sync(unsigned mask, int predicate, DEFT_CALLER) {
  return cuda_emulator::vote(mask, predicate != 0, file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, DEFT_CALLER) {
  return cuda_emulator::vote(mask, predicate != 0, file, line) == mask;
}

template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32, DEFT_CALLER) {
  return cuda_emulator::shuffle(cuda_emulator::Shuffle::index, mask, value, lane, width, file, line);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, DEFT_CALLER) {
  return cuda_emulator::shuffle(cuda_emulator::Shuffle::up, mask, value, static_cast<int>(delta), width, file, line);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, DEFT_CALLER) {
  return cuda_emulator::shuffle(cuda_emulator::Shuffle::down, mask, value, static_cast<int>(delta), width, file, line);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, DEFT_CALLER) {
  return cuda_emulator::shuffle(cuda_emulator::Shuffle::exclusive_or, mask, value, lanes, width, file, line);
}

#undef DEFT_CALLER

// Memory is consistent here, since one thread runs at a time.
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

// Exactly the types that CUDA has, so that a missing cast shows here too.
#define DEFT_ATOMIC(name, T, expression)                                               \
  inline T name(T* address, T value) {                                                 \
    return cuda_emulator::atomic(address, [value](T old) -> T { return expression; }); \
  }
#define DEFT_ATOMIC_INTEGERS(name, expression) \
  DEFT_ATOMIC(name, int, expression)           \
  DEFT_ATOMIC(name, unsigned, expression)      \
  DEFT_ATOMIC(name, unsigned long long, expression)

DEFT_ATOMIC_INTEGERS(atomicAdd, old + value)
DEFT_ATOMIC(atomicAdd, float, old + value)
DEFT_ATOMIC(atomicAdd, double, old + value)
DEFT_ATOMIC(atomicSub, int, old - value)
DEFT_ATOMIC(atomicSub, unsigned, old - value)
DEFT_ATOMIC_INTEGERS(atomicMin, value < old ? value : old)
DEFT_ATOMIC(atomicMin, long long, value < old ? value : old)
DEFT_ATOMIC_INTEGERS(atomicMax, value > old ? value : old)
DEFT_ATOMIC(atomicMax, long long, value > old ? value : old)
DEFT_ATOMIC_INTEGERS(atomicAnd, old& value)
DEFT_ATOMIC_INTEGERS(atomicOr, old | value)
DEFT_ATOMIC_INTEGERS(atomicXor, old ^ value)
DEFT_ATOMIC_INTEGERS(atomicExch, (static_cast<void>(old), value))
DEFT_ATOMIC(atomicExch, float, (static_cast<void>(old), value))
DEFT_ATOMIC(atomicInc, unsigned, old >= value ? 0 : old + 1)
DEFT_ATOMIC(atomicDec, unsigned, old == 0 || old > value ? value : old - 1)

#undef DEFT_ATOMIC_INTEGERS
#undef DEFT_ATOMIC

template <class T>
requires(std::is_same_v<T, int> || std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long> ||
         std::is_same_v<T, unsigned short>) T
    atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> desired) {
  return cuda_emulator::atomic(address, [=](T old) { return old == expected ? desired : old; });
}
