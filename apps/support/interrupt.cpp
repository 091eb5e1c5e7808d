#include "deft/apps/support/interrupt.h"

namespace deft::support {

namespace {

volatile std::sig_atomic_t signal_came = 0;

void on_signal(int) { signal_came = 1; }

}  // namespace

InterruptGuard::InterruptGuard() {
  signal_came = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, &old_interrupt_);
  sigaction(SIGTERM, &action, &old_terminate_);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGTERM, &old_terminate_, nullptr);
}

void throw_if_interrupted() {
  if (signal_came != 0) throw Interrupted();
}

}  // namespace deft::support
