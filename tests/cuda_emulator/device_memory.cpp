#include "device_memory.h"

#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "address_sanitizer.h"
#include "message.h"
#include "settings.h"

namespace cuda_emulator {
namespace {

// As cudaMalloc aligns.
constexpr std::size_t alignment = 256;
// Behind every allocation; what lies there must not change.
constexpr std::size_t guard_bytes = 64;
constexpr auto guard = [] {
  std::array<unsigned char, guard_bytes> bytes{};
  bytes.fill(0xdb);
  return bytes;
}();
// Released memory is used again when so much was released after it, so that late accesses still find it forbidden.
constexpr std::size_t quarantine_bytes = std::size_t{64} << 20;
// The used part is made readable in these steps, whole huge pages: one call each time, with few pages to change.
constexpr std::size_t step = std::size_t{2} << 20;

std::size_t round_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

std::size_t with_guard(std::size_t bytes) { return round_up(bytes + guard_bytes, alignment); }

}  // namespace

DeviceMemory::DeviceMemory(std::size_t capacity) : capacity_(round_up(capacity, step)) {
  void* reserved = mmap(nullptr, capacity_ + step, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) fail("cannot reserve " + std::to_string(capacity_) + " bytes of addresses");
  base_ = reinterpret_cast<char*>(round_up(reinterpret_cast<std::uintptr_t>(reserved), step));
  madvise(base_, capacity_, MADV_HUGEPAGE);
}

void* DeviceMemory::allocate(std::size_t bytes) {
  if (bytes > capacity_) return nullptr;
  char* pointer = take(with_guard(bytes));
  if (pointer == nullptr) return nullptr;
  live_[pointer] = bytes;
  fresh_.insert(pointer);
  unfilled_.emplace_back(pointer, bytes);
  forbid(pointer, with_guard(bytes));
  allow(pointer, bytes);
  return pointer;
}

bool DeviceMemory::release(void* pointer) {
  const auto found = live_.find(static_cast<char*>(pointer));
  if (found == live_.end()) return false;
  const auto [begin, bytes] = *found;
  live_.erase(found);
  ignored_.erase(begin);
  fresh_.erase(begin);
  forbid(begin, bytes);
  quarantine_.emplace_back(begin, with_guard(bytes));
  quarantined_ += with_guard(bytes);
  while (quarantined_ > quarantine_bytes) {
    give_back(quarantine_.front().first, quarantine_.front().second);
    quarantined_ -= quarantine_.front().second;
    quarantine_.pop_front();
  }
  return true;
}

// First fit, then new memory, then what is in quarantine.
char* DeviceMemory::take(std::size_t bytes) {
  for (auto hole = free_.begin(); hole != free_.end(); ++hole) {
    const auto [begin, size] = *hole;
    if (size < bytes) continue;
    free_.erase(hole);
    if (size > bytes) free_[begin + bytes] = size - bytes;
    return begin;
  }
  if (bytes <= capacity_ - used_) {
    char* begin = base_ + used_;
    const std::size_t readable = round_up(used_, step);
    used_ += bytes;
    forbid(base_ + readable, round_up(used_, step) - readable);
    return begin;
  }
  if (quarantine_.empty()) return nullptr;
  for (const auto& [begin, size] : quarantine_) give_back(begin, size);
  quarantine_.clear();
  quarantined_ = 0;
  return take(bytes);
}

void DeviceMemory::give_back(char* begin, std::size_t bytes) {
  auto next = free_.lower_bound(begin);
  if (next != free_.end() && begin + bytes == next->first) {
    bytes += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == begin) {
      previous->second += bytes;
      return;
    }
  }
  free_[begin] = bytes;
}

void DeviceMemory::open() {
  if (open_) return;
  open_ = true;
  if (used_ > 0 && mprotect(base_, round_up(used_, step), PROT_READ | PROT_WRITE) != 0) {
    fail("no memory for " + std::to_string(used_) + " bytes of device memory");
  }
  for (const auto& [begin, bytes] : unfilled_) {
    const auto found = live_.find(begin);
    if (found == live_.end() || found->second != bytes) continue;  // released since
    std::memset(begin, settings().poison, bytes);
    if (!address_sanitizer) std::memcpy(begin + bytes, guard.data(), guard_bytes);
  }
  unfilled_.clear();
}

void DeviceMemory::close() {
  if (!open_) return;
  open_ = false;
  if (used_ > 0) mprotect(base_, round_up(used_, step), PROT_NONE);
}

bool DeviceMemory::owns(const void* address) const { return address >= base_ && address < base_ + capacity_; }

std::string DeviceMemory::outside(const void* pointer, std::size_t bytes) const {
  if (const char* begin = allocation_of(pointer); begin != nullptr) {
    const std::size_t size = live_.at(const_cast<char*>(begin));
    const auto offset = static_cast<std::size_t>(static_cast<const char*>(pointer) - begin);
    if (offset <= size && bytes <= size - offset) return "";
    if (offset <= size) {
      return std::to_string(bytes) + " bytes at offset " + std::to_string(offset) + " of an allocation of " +
             std::to_string(size);
    }
  }
  return owns(pointer) ? "device memory that is not allocated" : "memory that is not the device's";
}

std::string DeviceMemory::position(const void* address) const {
  const char* begin = allocation_of(address);
  if (!owns(address) || begin == nullptr) return "";
  return "at offset " + std::to_string(static_cast<const char*>(address) - begin) + " of an allocation of " +
         std::to_string(live_.at(const_cast<char*>(begin))) + " bytes";
}

std::string DeviceMemory::overrun() const {
  if (address_sanitizer) return "";  // it has seen the write
  for (const auto& [begin, bytes] : live_) {
    if (std::memcmp(begin + bytes, guard.data(), guard_bytes) != 0) {
      return "behind an allocation of " + std::to_string(bytes) + " bytes";
    }
  }
  return "";
}

// The last allocation that begins at or before the pointer, null where none does.
const char* DeviceMemory::allocation_of(const void* pointer) const {
  const auto after = live_.upper_bound(static_cast<char*>(const_cast<void*>(pointer)));
  return after == live_.begin() ? nullptr : std::prev(after)->first;
}

void DeviceMemory::ignore(const void* pointer) { ignored_.insert(allocation_of(pointer)); }

void DeviceMemory::touch(const void* pointer) { fresh_.erase(allocation_of(pointer)); }

std::size_t DeviceMemory::free_bytes() const {
  std::size_t used = 0;
  for (const auto& allocation : live_) used += with_guard(allocation.second);
  return capacity_ - used;
}

}  // namespace cuda_emulator
