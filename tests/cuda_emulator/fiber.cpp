#include "fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <boost/context/detail/fcontext.hpp>
#include <deque>

#include "address_sanitizer.h"
#include "message.h"

namespace cuda_emulator {
namespace {

namespace context = boost::context::detail;

#ifdef DEFT_ADDRESS_SANITIZER
constexpr std::size_t stack_bytes = 256 << 10;  // its frames are larger
#else
constexpr std::size_t stack_bytes = 64 << 10;
#endif

// What is stored where stacks begin would share few sets of the processor's caches if all began at equal addresses.
constexpr std::size_t colors = 64, color_bytes = 192;

std::deque<Fiber>& fibers() {
  static auto* all = new std::deque<Fiber>;
  return *all;
}

struct Switch {
  Fiber *from, *to;
};

// Where every switch ends: on the stack of the fiber that was switched to. Notes where the other one goes on.
Fiber& arrive(context::transfer_t transfer) {
  const Switch& change = *static_cast<Switch*>(transfer.data);
  Fiber &left = *change.from, &running = *change.to;
  left.context = transfer.fctx;
#ifdef DEFT_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(running.fake_stack, &left.stack, &left.stack_bytes);
#endif
  return running;
}

}  // namespace

Fiber* make_fiber(void (*body)()) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* memory =
      mmap(nullptr, stack_bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0) fail("no memory for the stack of a thread");
  Fiber& fiber = fibers().emplace_back();
  fiber.stack = static_cast<char*>(memory) + page;
  fiber.stack_bytes = stack_bytes;
  fiber.body = body;
  void* top = static_cast<char*>(memory) + page + stack_bytes - fibers().size() % colors * color_bytes;
  fiber.context = context::make_fcontext(top, stack_bytes - colors * color_bytes,
                                         [](context::transfer_t transfer) { arrive(transfer).body(); });
  return &fiber;
}

void switch_fiber(Fiber& from, Fiber& to) {
#ifdef DEFT_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(&from.fake_stack, to.stack, to.stack_bytes);
#endif
  Switch change{&from, &to};
  arrive(context::jump_fcontext(to.context, &change));
}

bool is_stack_guard(const void* address) {
  for (const Fiber& fiber : fibers()) {
    if (address < fiber.stack && static_cast<const char*>(address) >= static_cast<const char*>(fiber.stack) - 4096) {
      return true;
    }
  }
  return false;
}

}  // namespace cuda_emulator
