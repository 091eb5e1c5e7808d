// The threads behind parallel_for.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace deft {

/// One loop of calls, which the threads of a pool share.
struct ParallelLoop {
  void (*call)(void*, std::int64_t);
  void* body;
  std::int64_t n;
};

/// Runs one loop at a time. Each thread begins with a range of its own, the same for loops of the same length, so that
/// what it wrote in one loop is in its cache in the next; whoever is done takes indices from the others' ranges. The
/// caller works too and waits only for threads that have begun: where other programs keep the cores busy, it does not
/// wait for its workers to be scheduled. Workers wait for the next loop awake for a moment, then asleep.
class ThreadPool {
 public:
  ThreadPool() = default;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Runs `loop` on `threads` threads, the caller one of them, and returns the first exception, if any; or does nothing
  /// and returns false where the pool is busy with another caller's loop or stopped.
  bool try_run(int threads, int most_threads, const ParallelLoop& loop, std::exception_ptr& error);

  /// Ends the workers once they have finished the loop that they are in.
  void stop();

 private:
  // The next index of a thread's range, on a cache line of its own.
  struct alignas(64) Range {
    std::atomic<std::int64_t> next{0};
    std::int64_t end = 0;
  };

  void resize(int threads);
  void end_workers();
  void work(std::size_t worker);
  bool join_loop(std::uint32_t& last_joined);
  void take_part(std::size_t first_range);

  // The parts of state_: how many more workers the present loop takes in, whether they shall end, and the loop's
  // number.
  static constexpr std::uint32_t open_places = (1u << 12) - 1, ending = 1u << 12, one_loop = 1u << 13;
  alignas(64) std::atomic<std::uint32_t> state_{0};
  alignas(64) std::atomic<std::uint32_t> finished_{0};  // workers that have left the present loop
  ParallelLoop loop_{};                                 // like all that follows, read by those that have joined it
  std::size_t ranges_used_ = 0;
  std::unique_ptr<Range[]> ranges_;
  std::mutex error_mutex_;
  std::exception_ptr error_;
  std::mutex caller_;  // held while a loop runs
  bool stopped_ = false;
  std::size_t wanted_workers_ = 0;  // the system may have refused some
  std::vector<std::thread> workers_;
};

}  // namespace deft
