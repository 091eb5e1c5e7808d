// Parallel loops of the CPU kernels, and the number of threads that they use.
#pragma once

#include <cstdint>
#include <type_traits>

#include "deft/kernels/runtime/host_device.h"

namespace deft {

/// Cores that this thread may run on.
int available_cores();

/// Threads that parallel_for uses; at first OMP_NUM_THREADS, else one per available core.
int num_threads();

/// Sets the number of threads. Throws Error unless `threads` is at least 1. No result depends on this number.
void set_num_threads(int threads);

/// While one lives, parallel_for on this thread runs serially (background workers, nested loops).
class SerialScope {
 public:
  SerialScope();
  ~SerialScope();
  SerialScope(const SerialScope&) = delete;
  SerialScope& operator=(const SerialScope&) = delete;

 private:
  bool outer_;
};

namespace detail {
void parallel_for(std::int64_t n, void (*call)(void*, std::int64_t), void* body);
}

/// Calls `body(i)` once for every i in [0, n), in any order and on any thread; returns when all are done. Rethrows the
/// first exception, after which other indices may or may not have run. Nested loops run serially, and so do those that
/// begin while another thread's loop runs. To keep results independent of the number of threads, cut work into pieces
/// whose size does not depend on it, let each `i` write only what is its own, and add partial sums in order of `i`
/// afterwards.
template <class Body>
void parallel_for(std::int64_t n, Body&& body) {
  using Function = std::remove_reference_t<Body>;
  detail::parallel_for(
      n, [](void* f, std::int64_t i) { (*static_cast<Function*>(f))(i); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

/// Calls `body(begin, end)` for consecutive ranges of at most `block` indices that cover [0, n).
template <class Body>
void parallel_blocks(std::int64_t n, std::int64_t block, Body&& body) {
  const std::int64_t blocks = (n + block - 1) / block;
  parallel_for(blocks, [&](std::int64_t i) {
    const std::int64_t begin = i * block;
    body(begin, begin + block < n ? begin + block : n);
  });
}

/// Rows of `row_size` elements that make up a block worth handing to a thread (a parallel region costs microseconds).
DEFT_ALWAYS_INLINE inline std::int64_t rows_per_block(std::int64_t row_size) {
  constexpr std::int64_t block_size = 16384;
  return row_size < block_size ? block_size / (row_size > 0 ? row_size : 1) : 1;
}

}  // namespace deft
