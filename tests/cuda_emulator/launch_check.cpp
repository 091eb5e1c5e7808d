#include "launch_check.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "block.h"
#include "message.h"
#include "settings.h"

namespace cuda_emulator {
namespace {

using Bytes = std::vector<char>;

// The contents of all allocations, one after another.
class Snapshot {
 public:
  explicit Snapshot(const DeviceMemory& memory) : memory_(memory) {
    for_each([&](char* begin, std::size_t bytes) { contents_.insert(contents_.end(), begin, begin + bytes); });
  }

  void restore() const {
    std::size_t at = 0;
    for_each([&](char* begin, std::size_t bytes) {
      std::memcpy(begin, contents_.data() + at, bytes);
      at += bytes;
    });
  }

  /// The first byte that differs, null where none does. Where nothing was ever written poison may stand for poison.
  const char* first_difference(unsigned char poison) const {
    const auto same = [poison](char now, char then) {
      return now == then ||
             (static_cast<unsigned char>(then) == poison_patterns[0] && static_cast<unsigned char>(now) == poison);
    };
    std::size_t at = 0;
    const char* found = nullptr;
    for_each([&](char* begin, std::size_t bytes) {
      const char* expected = contents_.data() + at;
      at += bytes;
      if (found != nullptr || std::memcmp(begin, expected, bytes) == 0) return;
      const char* different = memory_.is_fresh(begin) ? std::mismatch(begin, begin + bytes, expected, same).first
                                                      : std::mismatch(begin, begin + bytes, expected).first;
      if (different != begin + bytes) found = different;
    });
    return found;
  }

 private:
  template <class Function>
  void for_each(Function&& function) const {
    for (const auto& [begin, bytes] : memory_.allocations()) {
      if (!memory_.ignored(begin)) function(begin, bytes);
    }
  }

  const DeviceMemory& memory_;
  Bytes contents_;
};

bool is_order_dependent(const Launch& launch, const Settings& how) {
  const std::string name = kernel_name(launch.kernel);
  for (const std::string& part : how.order_dependent) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

const char* name_of(Order order) {
  switch (order) {
    case Order::forward:
      return "forward";
    case Order::reverse:
      return "reverse";
    case Order::shuffled:
      return "shuffled";
  }
  return "";
}

// Fresh memory holds the poison of this run.
void run(const Launch& launch, DeviceMemory& memory, unsigned char poison, Order order) {
  for (const auto& [begin, bytes] : memory.allocations()) {
    if (memory.is_fresh(begin) && !memory.ignored(begin)) std::memset(begin, poison, bytes);
  }
  run_blocks(launch, poison, order);
}

// What still holds nothing but poison stays fresh.
void touch_changed(DeviceMemory& memory) {
  for (const auto& [begin, bytes] : memory.allocations()) {
    const auto is_poison = [](char byte) { return static_cast<unsigned char>(byte) == poison_patterns[0]; };
    if (memory.is_fresh(begin) && !std::all_of(begin, begin + bytes, is_poison)) memory.touch(begin);
  }
}

}  // namespace

void check_launch(const Launch& launch, const Settings& how, DeviceMemory& memory) {
  const Snapshot before(memory);
  run(launch, memory, poison_patterns[0], Order::forward);
  const Snapshot expected(memory);
  const bool any_order = !is_order_dependent(launch, how);
  for (const Order order : orders) {
    for (const unsigned char poison : poison_patterns) {
      if (order == Order::forward && poison == poison_patterns[0]) continue;
      if (order != Order::forward && !any_order) continue;
      before.restore();
      run(launch, memory, poison, order);
      const char* difference = expected.first_difference(poison);
      if (difference == nullptr) continue;
      fail("the results of " + describe(launch) + " depend on " +
           (order == Order::forward ? std::string("memory to which nothing was written")
                                    : std::string("the order of its threads (") + name_of(order) + ")") +
           ": they differ " + memory.position(difference));
    }
  }
  expected.restore();
  touch_changed(memory);
}

}  // namespace cuda_emulator
