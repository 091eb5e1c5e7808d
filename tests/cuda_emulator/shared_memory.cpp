#include "shared_memory.h"

#include <cstring>
#include <new>

#include "message.h"
#include "settings.h"

namespace cuda_emulator {
namespace {

// Declared arrays of one kernel may have this much, as ptxas allows.
constexpr std::size_t most_declared_bytes = 48 << 10;
constexpr std::align_val_t dynamic_alignment{16};

struct State {
  const Launch* launch = nullptr;
  unsigned char poison = 0;
  void* dynamic = nullptr;
  std::uint64_t dynamic_filled = 0;  // for which block
  std::size_t declared_bytes = 0;
  std::uint64_t declared_in = 0;  // which block
} state;

}  // namespace

std::uint64_t current_block = 0;

SharedMemoryScope::SharedMemoryScope(const Launch& launch, unsigned char poison) {
  state.launch = &launch;
  state.poison = poison;
  if (launch.shared_bytes > 0) state.dynamic = ::operator new(launch.shared_bytes, dynamic_alignment);
}

SharedMemoryScope::~SharedMemoryScope() {
  ::operator delete(state.dynamic, dynamic_alignment);
  state.dynamic = nullptr;
}

void fill_shared_array(SharedArray& array, std::size_t bytes, std::size_t alignment) {
  // Never freed: there is one per declaration.
  if (array.data == nullptr)
    array.data = ::operator new (bytes, std::align_val_t{std::max<std::size_t>(alignment, 16)});
  if (state.declared_in != current_block) state.declared_bytes = 0;
  state.declared_in = current_block;
  state.declared_bytes += bytes;
  const std::size_t all = state.declared_bytes + state.launch->shared_bytes;
  if (state.declared_bytes > most_declared_bytes || all > settings().shared_bytes_per_block()) {
    fail(describe(*state.launch) + " declares " + std::to_string(state.declared_bytes) +
         " bytes of shared memory and is given " + std::to_string(state.launch->shared_bytes) + "; declared may be " +
         std::to_string(most_declared_bytes) + ", both together " +
         std::to_string(settings().shared_bytes_per_block()));
  }
  std::memset(array.data, state.poison, bytes);
  array.block = current_block;
}

void* dynamic_shared_memory() {
  if (state.dynamic == nullptr) fail(describe(*state.launch) + " uses dynamic shared memory and was given none");
  if (state.dynamic_filled != current_block) std::memset(state.dynamic, state.poison, state.launch->shared_bytes);
  state.dynamic_filled = current_block;
  return state.dynamic;
}

}  // namespace cuda_emulator
