#include "pinned_memory.h"

#include <cstring>
#include <map>
#include <new>

#include "settings.h"

namespace cuda_emulator {
namespace {

constexpr std::align_val_t alignment{256};

std::map<const char*, std::size_t>& live() {
  static auto* all = new std::map<const char*, std::size_t>;
  return *all;
}

}  // namespace

void* allocate_pinned(std::size_t bytes) {
  void* pointer = ::operator new(bytes, alignment, std::nothrow);
  if (pointer == nullptr) return nullptr;
  live()[static_cast<char*>(pointer)] = bytes;
  return std::memset(pointer, settings().poison, bytes);
}

bool release_pinned(void* pointer) {
  if (live().erase(static_cast<char*>(pointer)) == 0) return false;
  ::operator delete(pointer, alignment);
  return true;
}

bool is_pinned(const void* address) {
  const auto* byte = static_cast<const char*>(address);
  const auto after = live().upper_bound(byte);
  if (after == live().begin()) return false;
  const auto& [begin, bytes] = *std::prev(after);
  return byte < begin + bytes;
}

}  // namespace cuda_emulator
