#include "deft/kernels/runtime/parallel_for.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__)
#include <pthread.h>
#endif

#include "deft/kernels/runtime/cpu/thread_pool.h"
#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

thread_local bool serial = false;

// OpenMP's variable, since whoever uses PyTorch or NumPy sets it; of a list for nested levels, the first number.
int threads_at_start() {
  const char* wanted = std::getenv("OMP_NUM_THREADS");
  const long threads = wanted ? std::strtol(wanted, nullptr, 10) : 0;
  return threads > 0 ? static_cast<int>(std::min(threads, 1024L)) : available_cores();
}

// Read by the workers of a data loader while the training sets it.
std::atomic<int>& thread_count() {
  static std::atomic<int> count = threads_at_start();
  return count;
}

// Never destroyed, so that other static objects may compute in their destructors; after `stop` their loops run
// serially.
ThreadPool* pool = nullptr;

struct PoolOwner {
  PoolOwner() {
    pool = new ThreadPool;
#if defined(__unix__)
    // A child has none of its parent's threads, and what they held stays locked: it leaves the old pool alone.
    pthread_atfork(nullptr, nullptr, [] { pool = new ThreadPool; });
#endif
  }
  ~PoolOwner() {
    if (!serial) pool->stop();  // else the process exits from within a loop, which cannot wait for its own end
  }
};

ThreadPool& thread_pool() {
  static const PoolOwner owner;
  return *pool;
}

}  // namespace

int available_cores() {
#if defined(__linux__)
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return CPU_COUNT(&cores);
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int num_threads() { return thread_count(); }

void set_num_threads(int threads) {
  if (threads < 1) throw Error("set_num_threads: threads is " + std::to_string(threads) + ", expected at least 1");
  thread_count() = threads;
}

SerialScope::SerialScope() : outer_(serial) { serial = true; }
SerialScope::~SerialScope() { serial = outer_; }

namespace detail {

void parallel_for(std::int64_t n, void (*call)(void*, std::int64_t), void* body) {
  const int most_threads = num_threads();
  const int threads = static_cast<int>(std::min<std::int64_t>(n, most_threads));
  std::exception_ptr error;
  if (threads <= 1 || serial || !thread_pool().try_run(threads, most_threads, {call, body, n}, error)) {
    for (std::int64_t i = 0; i < n; ++i) call(body, i);
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace detail
}  // namespace deft
