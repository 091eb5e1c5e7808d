// Ctrl-C as a request to stop at the next good place.
#pragma once

#include <csignal>
#include <exception>

namespace deft::support {

/// While one lives, the first SIGINT or SIGTERM is only noted, for throw_if_interrupted; a second one ends the process
/// at once. Others made meanwhile, on the same thread, change nothing.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  struct sigaction old_interrupt_, old_terminate_;
};

/// What throw_if_interrupted throws.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

/// To be called in long loops where stopping leaves nothing half done. Throws Interrupted when a signal has come since
/// the outermost guard was made.
void throw_if_interrupted();

/// The exit status that a shell expects of an interrupted program.
inline constexpr int interrupted_status = 128 + SIGINT;

}  // namespace deft::support
