// The memory of one device: a reserved range of addresses, readable only while the device works.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace cuda_emulator {

class DeviceMemory {
 public:
  explicit DeviceMemory(std::size_t capacity);
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  /// Memory that holds poison when it is first read; null when there is not enough.
  void* allocate(std::size_t bytes);
  /// False unless `allocate` returned `pointer` and it was not released since.
  bool release(void* pointer);

  /// Lets the host's code in until close().
  void open();
  void close();

  /// Whether the address belongs to this device, allocated or not.
  bool owns(const void* address) const;
  /// Empty when [pointer, pointer + bytes) lies in one allocation, else says why not.
  std::string outside(const void* pointer, std::size_t bytes) const;
  /// The last allocation that begins at or before the address: "at offset 8 of 400 bytes", or empty.
  std::string position(const void* address) const;

  /// While open: an allocation behind which something was written, in words, else empty.
  std::string overrun() const;

  /// Live allocations by address, with their sizes.
  const std::map<char*, std::size_t>& allocations() const { return live_; }
  /// Whether nothing was written to the allocation since it was made, as far as touch() was told.
  bool is_fresh(const char* allocation) const { return fresh_.count(allocation) != 0; }
  /// Notes a write to the allocation that holds `pointer`.
  void touch(const void* pointer);
  void touch_all() { fresh_.clear(); }
  /// Takes the allocation that holds `pointer` out of snapshots (workspaces of libraries).
  void ignore(const void* pointer);
  bool ignored(const char* allocation) const { return ignored_.count(allocation) != 0; }

  std::size_t capacity() const { return capacity_; }
  std::size_t free_bytes() const;

 private:
  const char* allocation_of(const void* pointer) const;
  char* take(std::size_t bytes);
  void give_back(char* begin, std::size_t bytes);

  std::size_t capacity_;
  char* base_;
  std::size_t used_ = 0;  // bytes from the base that were ever allocated
  bool open_ = false;
  std::map<char*, std::size_t> live_;  // bytes as asked for
  std::map<char*, std::size_t> free_;  // with the guard bytes, neighbours merged
  std::set<const char*> ignored_, fresh_;
  std::deque<std::pair<char*, std::size_t>> quarantine_;  // released, not yet free
  std::size_t quarantined_ = 0;
  std::vector<std::pair<char*, std::size_t>> unfilled_;  // allocated while closed
};

}  // namespace cuda_emulator
