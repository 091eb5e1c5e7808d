#include "deft/kernels/runtime/cpu/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "deft/kernels/runtime/parallel_for.h"

namespace deft {

namespace {

// Longer than the gaps between the loops of a training step, shorter than what the scheduler gives other programs.
constexpr std::chrono::microseconds time_awake{100};

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits, awake at first, until `wanted` accepts the value of `word`; returns that value.
template <class Wanted>
std::uint32_t wait_for(std::atomic<std::uint32_t>& word, const Wanted& wanted) {
  using Clock = std::chrono::steady_clock;
  for (;;) {
    const Clock::time_point awake_until = Clock::now() + time_awake;
    std::uint32_t value = 0;
    do {
      for (int i = 0; i < 16; ++i) {
        value = word.load();
        if (wanted(value)) return value;
        pause();
      }
    } while (Clock::now() < awake_until);
    word.wait(value);
  }
}

}  // namespace

bool ThreadPool::try_run(int threads, int most_threads, const ParallelLoop& loop, std::exception_ptr& error) {
  const std::unique_lock lock(caller_, std::try_to_lock);
  if (!lock || stopped_) return false;
  resize(most_threads);
  const std::size_t helpers = std::min(workers_.size(), static_cast<std::size_t>(threads - 1));
  loop_ = loop;
  ranges_used_ = helpers + 1;
  for (std::size_t i = 0; i < ranges_used_; ++i) {
    const auto begin = [&](std::size_t range) {
      return loop.n * static_cast<std::int64_t>(range) / static_cast<std::int64_t>(ranges_used_);
    };
    ranges_[i].next.store(begin(i), std::memory_order_relaxed);
    ranges_[i].end = begin(i + 1);
  }
  finished_.store(0, std::memory_order_relaxed);
  const std::uint32_t places = static_cast<std::uint32_t>(helpers);
  state_.store(((state_.load() & ~open_places) + one_loop) | places);
  if (helpers == workers_.size()) {
    state_.notify_all();
  } else {
    for (std::size_t i = 0; i < helpers; ++i) state_.notify_one();
  }
  {
    const SerialScope nested;
    take_part(0);
  }
  const std::uint32_t joined = places - (state_.fetch_and(~open_places) & open_places);
  wait_for(finished_, [&](std::uint32_t finished) { return finished == joined; });
  error = std::exchange(error_, nullptr);
  return true;
}

void ThreadPool::stop() {
  const std::lock_guard lock(caller_);
  end_workers();
  stopped_ = true;
}

void ThreadPool::resize(int threads) {
  const auto workers = static_cast<std::size_t>(std::min<int>(threads - 1, open_places));
  if (ranges_ && wanted_workers_ == workers) return;
  end_workers();
  wanted_workers_ = workers;
  ranges_ = std::make_unique<Range[]>(workers + 1);
  try {
    while (workers_.size() < workers) {
      workers_.emplace_back([this, worker = workers_.size()] { work(worker); });
    }
  } catch (const std::system_error&) {
    // The system has no more threads; the loops run on those there are.
  }
}

void ThreadPool::end_workers() {
  state_.fetch_or(ending);
  state_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
  state_.fetch_and(~ending);
}

void ThreadPool::work(std::size_t worker) {
  const SerialScope nested;
  std::uint32_t last_joined = 0;
  while (join_loop(last_joined)) {
    take_part(worker + 1);
    finished_.fetch_add(1);
    finished_.notify_one();
  }
}

// Waits for a new loop with a free place and takes it; false if the worker shall end.
bool ThreadPool::join_loop(std::uint32_t& last_joined) {
  for (;;) {
    std::uint32_t state = wait_for(state_, [&](std::uint32_t value) {
      return (value & ending) || ((value & open_places) && value / one_loop != last_joined);
    });
    if (state & ending) return false;
    if (state_.compare_exchange_strong(state, state - 1)) {
      last_joined = state / one_loop;
      return true;
    }
  }
}

void ThreadPool::take_part(std::size_t first_range) {
  for (std::size_t k = 0; k < ranges_used_; ++k) {
    Range& range = ranges_[(first_range + k) % ranges_used_];
    for (std::int64_t i; (i = range.next.fetch_add(1, std::memory_order_relaxed)) < range.end;) {
      try {
        loop_.call(loop_.body, i);
      } catch (...) {
        const std::lock_guard lock(error_mutex_);
        if (!error_) error_ = std::current_exception();
      }
    }
  }
}

}  // namespace deft
