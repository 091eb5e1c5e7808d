// Fibers: stacks of their own between which the thread of the host that runs a kernel switches.
#pragma once

#include <cstddef>

namespace cuda_emulator {

/// A stack and where to go on with it. One without a stack stands for the host's.
struct Fiber {
  void* context = nullptr;
  const void* stack = nullptr;  // lowest address
  std::size_t stack_bytes = 0;
  void* fake_stack = nullptr;  // the address sanitizer's
  void (*body)() = nullptr;
};

/// A fiber that runs `body`, which never returns, when it is first switched to. Fibers live as long as the process.
Fiber* make_fiber(void (*body)());

/// Goes on with `to`; returns when somebody switches back to `from`, which is the running one.
void switch_fiber(Fiber& from, Fiber& to);

/// Whether `address` lies in the guard page below a fiber's stack.
bool is_stack_guard(const void* address);

}  // namespace cuda_emulator
