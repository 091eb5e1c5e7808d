#include "block.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <random>
#include <vector>

#include "fiber.h"
#include "message.h"
#include "shared_memory.h"
#include "synchronization.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace cuda_emulator {
namespace {

enum class State { unstarted, running, ready, at_barrier, at_collective, exited };

struct Thread {
  uint3 index;
  State state;
  Fiber* fiber;  // while it has begun and not ended
  // Where it waits.
  const char* file;
  int line;
  unsigned mask;  // at_collective
  void* mine;
};

struct Warp {
  unsigned exited = 0, at_collective = 0;  // a bit per lane
};

// The threads of the block that runs.
struct Block {
  const Launch* launch = nullptr;
  unsigned char poison = 0;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<unsigned> order;       // of the threads
  std::vector<unsigned> warp_order;  // of each warp's, in the same order
  std::size_t next_unstarted = 0;    // in `order`
  std::vector<unsigned> ready;       // a queue that begins at next_ready
  std::size_t next_ready = 0;
  unsigned current = 0;
  unsigned exited = 0;
  unsigned at_barrier = 0;
  unsigned predicates = 0;  // of those at the barrier
  unsigned first_at_barrier = 0;
  BarrierResult barrier_result{};
};

Block block;
Fiber host;
Fiber* running_fiber = &host;
std::vector<Fiber*> idle_fibers;

std::string thread_name(unsigned thread) { return "thread " + to_string(block.threads[thread].index); }

std::string where() { return describe(*block.launch) + ", block " + to_string(blockIdx); }

std::string doing(unsigned number) {
  const Thread& thread = block.threads[number];
  const auto waits_for = [&](const char* whom) {
    return thread_name(number) + " waits for " + whom + " at " + place(thread.file, thread.line);
  };
  switch (thread.state) {
    case State::at_barrier:
      return waits_for("the block");
    case State::at_collective:
      return waits_for("other lanes");
    case State::exited:
      return thread_name(number) + " has exited";
    default:
      return thread_name(number) + " runs";
  }
}

void switch_to(Fiber* to) {
  Fiber* from = running_fiber;
  if (to == from) return;
  running_fiber = to;
  switch_fiber(*from, *to);
}

void run_thread(unsigned number) {
  Thread& thread = block.threads[number];
  thread.state = State::running;
  block.current = number;
  threadIdx = thread.index;
  (*block.launch->call)();
  thread.state = State::exited;
  block.warps[number / 32].exited |= 1u << number % 32;
  ++block.exited;
}

bool has_ready() { return block.next_ready < block.ready.size(); }

Fiber* take_ready() {
  const unsigned next = block.ready[block.next_ready++];
  if (!has_ready()) {
    block.ready.clear();
    block.next_ready = 0;
  }
  return block.threads[next].fiber;
}

// Nobody can go on: says which two threads wait for each other.
[[noreturn]] void report_deadlock() {
  const auto waits = [](const Thread& thread) { return thread.state != State::exited; };
  const auto first = std::find_if(block.threads.begin(), block.threads.end(), waits);
  const auto number = static_cast<unsigned>(first - block.threads.begin());
  const unsigned warp = number / 32 * 32;
  const auto missing = [&](unsigned other) {
    const Thread& thread = block.threads[other];
    if (first->state == State::at_barrier) return thread.state != State::at_barrier;
    return other / 32 * 32 == warp && (first->mask >> other % 32 & 1) != 0 && thread.state != State::at_collective;
  };
  unsigned other = 0;
  while (other + 1 < block.threads.size() && !missing(other)) ++other;
  const char* what = first->state == State::at_barrier ? "divergent barrier in " : "lane missing in ";
  fail(what + where() + ": " + doing(number) + ", " + doing(other));
}

// What every fiber does.
void run_threads() {
  for (;;) {
    if (has_ready()) {
      idle_fibers.push_back(running_fiber);
      switch_to(take_ready());
    } else if (block.next_unstarted < block.order.size()) {
      run_thread(block.order[block.next_unstarted++]);
    } else if (block.exited == block.threads.size()) {
      idle_fibers.push_back(running_fiber);
      switch_to(&host);
    } else {
      report_deadlock();
    }
  }
}

Fiber* take_idle() {
  if (idle_fibers.empty()) return make_fiber(run_threads);
  Fiber* fiber = idle_fibers.back();
  idle_fibers.pop_back();
  return fiber;
}

// The thread that runs, whose state says what it waits for or that it is ready, lets others run.
void wait() {
  const unsigned mine = block.current;
  if (has_ready()) {
    switch_to(take_ready());
  } else if (block.next_unstarted < block.order.size()) {
    switch_to(take_idle());
  } else {
    report_deadlock();
  }
  block.current = mine;
  block.threads[mine].state = State::running;
  threadIdx = block.threads[mine].index;
}

Thread& start_waiting(State state, const char* file, int line) {
  Thread& thread = block.threads[block.current];
  thread.state = state;
  thread.fiber = running_fiber;
  thread.file = file;
  thread.line = line;
  return thread;
}

void make_ready(unsigned thread) {
  block.threads[thread].state = State::ready;
  block.ready.push_back(thread);
}

void require_running(const char* what, const char* file, int line) {
  if (running_fiber == &host) fail(std::string(what) + " outside a kernel at " + place(file, line));
}

bool same_place(const Thread& a, const Thread& b) { return a.line == b.line && std::strcmp(a.file, b.file) == 0; }

unsigned lowest(unsigned lanes) { return static_cast<unsigned>(std::countr_zero(lanes)); }

// The lanes that the block has in the warp of this first thread.
unsigned lanes_of_warp(unsigned first) {
  const std::size_t count = block.threads.size() - first;
  return count >= 32 ? 0xffffffffu : (1u << count) - 1;
}

[[noreturn]] void refuse_collective(const std::string& why) {
  fail("lane missing in " + where() + ": " + doing(block.current) + why);
}

// All lanes that the last one's mask names wait somewhere: in this call, or they never will.
void complete_collective(const Thread& last, unsigned first, Combine combine) {
  void* lanes[32] = {};
  for (unsigned left = last.mask; left != 0; left &= left - 1) {
    const Thread& other = block.threads[first + lowest(left)];
    if (other.mask != last.mask) refuse_collective(", " + doing(first + lowest(left)) + " with another mask");
    if (!same_place(other, last)) refuse_collective(", " + doing(first + lowest(left)));
    lanes[lowest(left)] = other.mine;
  }
  combine(lanes, last.mask);
  block.warps[first / 32].at_collective &= ~last.mask;
  const std::size_t end = std::min<std::size_t>(first + 32, block.threads.size());
  for (std::size_t i = first; i < end; ++i) {
    const unsigned each = block.warp_order[i];
    if ((last.mask >> each % 32 & 1) != 0) make_ready(each);
  }
}

void set_order(std::vector<unsigned>& sequence, Order order) {
  std::iota(sequence.begin(), sequence.end(), 0u);
  if (order == Order::reverse) std::reverse(sequence.begin(), sequence.end());
  if (order == Order::shuffled) std::shuffle(sequence.begin(), sequence.end(), std::mt19937(1));
}

// Sets up the threads for all blocks of a launch, unless they are as the last one's.
void set_threads(const dim3& size, Order order) {
  static struct {
    dim3 size;
    Order order = Order::forward;
  } last;
  const bool same = size.x == last.size.x && size.y == last.size.y && size.z == last.size.z && order == last.order;
  if (same && !block.threads.empty()) return;
  last = {size, order};
  const std::size_t count = std::size_t{size.x} * size.y * size.z;
  block.threads.assign(count, {});
  block.warps.resize((count + 31) / 32);
  for (unsigned i = 0; i < count; ++i) {
    block.threads[i].index = {i % size.x, i / size.x % size.y, i / size.x / size.y};
  }
  block.order.resize(count);
  set_order(block.order, order);
  block.warp_order = block.order;
  std::stable_sort(block.warp_order.begin(), block.warp_order.end(),
                   [](unsigned a, unsigned b) { return a / 32 < b / 32; });
}

void run_block() {
  ++current_block;
  for (Thread& thread : block.threads) thread.state = State::unstarted;
  std::fill(block.warps.begin(), block.warps.end(), Warp());
  block.next_unstarted = 0;
  block.exited = 0;
  switch_to(take_idle());
}

}  // namespace

void run_blocks(const Launch& launch, unsigned char poison, Order order) {
  block.launch = &launch;
  block.poison = poison;
  blockDim = launch.block;
  gridDim = launch.grid;
  set_threads(launch.block, order);
  const SharedMemoryScope shared_memory(launch, poison);
  const std::int64_t in_plane = std::int64_t{launch.grid.x} * launch.grid.y, count = in_plane * launch.grid.z;
  // Steps of a prime visit every block once unless it divides their number.
  constexpr std::int64_t prime = 2147483647;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t at = i;
    if (order == Order::reverse) at = count - 1 - i;
    if (order == Order::shuffled && count % prime != 0) at = (i + 1) * (prime % count) % count;
    blockIdx = {static_cast<unsigned>(at % launch.grid.x), static_cast<unsigned>(at / launch.grid.x % launch.grid.y),
                static_cast<unsigned>(at / in_plane)};
    run_block();
  }
  block.launch = nullptr;
}

std::string running_thread() {
  if (block.launch == nullptr || block.threads.empty()) return "";
  return where() + ", " + thread_name(block.current);
}

BarrierResult barrier(bool predicate, const char* file, int line) {
  require_running("__syncthreads", file, line);
  const unsigned mine = block.current;
  const Thread& thread = start_waiting(State::at_barrier, file, line);
  if (block.at_barrier == 0) {
    block.first_at_barrier = mine;
    block.predicates = 0;
  } else if (!same_place(thread, block.threads[block.first_at_barrier])) {
    fail("divergent barrier in " + where() + ": " + doing(block.first_at_barrier) + ", " + doing(mine));
  }
  block.predicates += predicate;
  if (++block.at_barrier == block.threads.size()) {
    block.barrier_result = {static_cast<int>(block.predicates), static_cast<int>(block.threads.size())};
    block.at_barrier = 0;
    for (const unsigned each : block.order) make_ready(each);
  }
  wait();
  return block.barrier_result;
}

void collective(unsigned mask, void* mine, Combine combine, const char* file, int line) {
  require_running("a warp function", file, line);
  const unsigned number = block.current, first = number / 32 * 32, lane = number % 32;
  Warp& warp = block.warps[number / 32];
  Thread& thread = start_waiting(State::at_collective, file, line);
  thread.mask = mask;
  thread.mine = mine;
  warp.at_collective |= 1u << lane;
  if ((mask & 1u << lane) == 0) refuse_collective(", but the mask there does not name it");
  if (const unsigned gone = mask & warp.exited; gone != 0) refuse_collective(", " + doing(first + lowest(gone)));
  if (const unsigned beyond = mask & ~lanes_of_warp(first); beyond != 0) {
    refuse_collective(", and its mask names lane " + std::to_string(lowest(beyond)) + " beyond the block");
  }
  if ((mask & ~warp.at_collective) == 0) complete_collective(thread, first, combine);
  wait();
}

unsigned lane_index() { return block.current % 32; }

unsigned active_lanes() { return lanes_of_warp(block.current / 32 * 32) & ~block.warps[block.current / 32].exited; }

unsigned char poison() { return block.poison; }

void combine_shuffle(ShuffleLane* const* lanes, unsigned mask) {
  for (int i = 0; i < 32; ++i) {
    if (lanes[i] == nullptr) continue;
    ShuffleLane& lane = *lanes[i];
    const int source = shuffle_source(lane.kind, i, lane.argument, lane.width);
    if ((mask >> source & 1) != 0) {
      lane.result = lanes[source]->value;
    } else {
      std::memset(&lane.result, block.poison, sizeof(lane.result));  // undefined
    }
  }
}

unsigned vote(unsigned mask, bool predicate, const char* file, int line) {
  struct Lane {
    bool predicate;
    unsigned result;
  } mine{predicate, 0};
  warp_collective<Lane>(
      mask, mine,
      [](Lane* const* lanes, unsigned) {
        unsigned result = 0;
        for (int i = 0; i < 32; ++i) result |= lanes[i] != nullptr && lanes[i]->predicate ? 1u << i : 0;
        for (int i = 0; i < 32; ++i) {
          if (lanes[i] != nullptr) lanes[i]->result = result;
        }
      },
      file, line);
  return mine.result;
}

}  // namespace cuda_emulator
