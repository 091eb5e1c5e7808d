// How the emulator runs kernels. The environment sets it at the first use (cuda_runtime.h lists the variables); tests may
// change it: each launch runs as the settings were when it was given to its stream.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cuda_emulator {

/// Bytes that fill memory which nothing was written to: as numbers NaN and -1, or 51015.28 and 1195853639.
inline constexpr unsigned char poison_patterns[2] = {0xff, 0x47};

/// In which order a block's threads, and a grid's blocks, run while nothing makes them wait.
enum class Order { forward, reverse, shuffled };
inline constexpr Order orders[3] = {Order::forward, Order::reverse, Order::shuffled};

struct Settings {
  unsigned char poison = poison_patterns[0];
  Order order = Order::forward;
  /// Run each launch with every poison pattern and order, and abort unless all leave the same bits in device memory.
  bool check_launches = false;
  /// Kernels, by parts of their names, whose results depend on the threads' order because they add floats atomically:
  /// the check runs them in one order.
  std::vector<std::string> order_dependent;
  int devices = 1;
  std::size_t device_bytes = std::size_t{4} << 30;
  int capability = 90;  ///< 10 · major + minor: of 75, 80, 86, 89, 90

  /// The most shared memory that a kernel of this capability may ask for.
  std::size_t shared_bytes_per_block() const;
};

Settings& settings();

}  // namespace cuda_emulator
