#include "deft/kernels/parallel_for.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <string>

#include "deft/kernels/error.h"

namespace deft {
namespace {

thread_local bool serial = false;

// GCC's OpenMP runtime is not instrumented: to the thread sanitizer each of its barriers looks like a race.
#ifdef __SANITIZE_THREAD__
constexpr bool openmp_is_opaque = true;
#else
constexpr bool openmp_is_opaque = false;
#endif

// Read by the workers of a data loader while the training sets it.
std::atomic<int>& thread_count() {
  static std::atomic<int> count = omp_get_max_threads();
  return count;
}

}  // namespace

int num_threads() { return thread_count(); }

void set_num_threads(int threads) {
  if (threads < 1) throw Error("set_num_threads: threads is " + std::to_string(threads) + ", expected at least 1");
  thread_count() = threads;
}

SerialScope::SerialScope() : outer_(serial) { serial = true; }
SerialScope::~SerialScope() { serial = outer_; }

namespace detail {

void parallel_for(std::int64_t n, void (*call)(void*, std::int64_t), void* body) {
  const int threads = static_cast<int>(std::min<std::int64_t>(n, num_threads()));
  if (threads <= 1 || serial || openmp_is_opaque) {
    for (std::int64_t i = 0; i < n; ++i) call(body, i);
    return;
  }
  std::exception_ptr error;
#pragma omp parallel num_threads(threads)
  {
    SerialScope nested;
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < n; ++i) {
      try {
        call(body, i);
      } catch (...) {
#pragma omp critical(deft_parallel_for_error)
        if (!error) error = std::current_exception();
      }
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace detail
}  // namespace deft
