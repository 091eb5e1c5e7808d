// Ctrl-C as a request to stop at the next good place.
#pragma once

#include <csignal>

namespace deft::support {

/// While one lives, the first SIGINT or SIGTERM only makes interrupted() true; a second one ends the process at once.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  struct sigaction old_interrupt_, old_terminate_;
};

/// Whether such a signal has come since the innermost guard was made.
bool interrupted();

/// What a shell expects of a program that SIGINT ended.
inline constexpr int interrupted_status = 128 + SIGINT;

}  // namespace deft::support
