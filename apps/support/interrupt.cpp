#include "deft/apps/support/interrupt.h"

#include <atomic>

namespace deft::support {

namespace {

std::atomic<bool> signal_came = false;  // any thread may take the signal
static_assert(std::atomic<bool>::is_always_lock_free);
int guards = 0;

void on_signal(int) { signal_came = true; }

}  // namespace

InterruptGuard::InterruptGuard() {
  if (guards++ > 0) return;
  signal_came = false;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, &old_interrupt_);
  sigaction(SIGTERM, &action, &old_terminate_);
}

InterruptGuard::~InterruptGuard() {
  if (--guards > 0) return;
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGTERM, &old_terminate_, nullptr);
}

void throw_if_interrupted() {
  if (signal_came) throw Interrupted();
}

}  // namespace deft::support
