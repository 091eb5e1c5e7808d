#include "host_access.h"

#include <signal.h>

#include <cstdio>
#include <string>

#include "address_sanitizer.h"
#include "block.h"
#include "fiber.h"
#include "message.h"
#include "stream.h"

namespace cuda_emulator {
namespace {

struct sigaction previous {};

void explain(int signal, siginfo_t* info, void*) {
  const void* address = info->si_addr;
  const std::string thread = running_thread();
  if (!thread.empty() && is_stack_guard(address)) fail("stack overflow in " + thread);
  for (int i = 0; Device* device = find_device(i); ++i) {
    if (!device->memory.owns(address)) continue;
    std::string position = device->memory.position(address);
    if (!position.empty()) position = " " + position;
    if (thread.empty()) {
      fail("host code accessed the memory of device " + std::to_string(i) + position + "; copy it to the host first");
    }
    fail("access to memory of device " + std::to_string(i) + " that is not allocated," + position + ", in " + thread);
  }
  if (!thread.empty()) fail("access to memory that is not the device's in " + thread);
  // Not ours: the access is repeated under the handler that was there before.
  sigaction(signal, &previous, nullptr);
}

#ifdef DEFT_ADDRESS_SANITIZER
// The sanitizer names the function; this adds the launch.
void add_thread(const char*) {
  const std::string thread = running_thread();
  if (!thread.empty()) std::fprintf(stderr, "cuda emulator: found in %s\n", thread.c_str());
}
#endif

// A thread that overflows the stack it runs on has none left for the handler.
void give_handler_a_stack() {
  stack_t current{};
  sigaltstack(nullptr, &current);
  if ((current.ss_flags & SS_DISABLE) == 0) return;
  static thread_local char memory[64 << 10];
  stack_t ours{};
  ours.ss_sp = memory;
  ours.ss_size = sizeof(memory);
  sigaltstack(&ours, nullptr);
}

}  // namespace

void watch_host_accesses() {
  give_handler_a_stack();
#ifdef DEFT_ADDRESS_SANITIZER
  __asan_set_error_report_callback(add_thread);
#endif
  struct sigaction current {};
  sigaction(SIGSEGV, nullptr, &current);
  if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == explain) return;
  previous = current;
  struct sigaction ours {};
  ours.sa_sigaction = explain;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigaction(SIGSEGV, &ours, nullptr);
}

}  // namespace cuda_emulator
