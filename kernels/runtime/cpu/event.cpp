#include "deft/kernels/runtime/event.h"

#include <chrono>

namespace deft::kernels {

namespace {

using Clock = std::chrono::steady_clock;

Clock::time_point& time_of(void* event) { return *static_cast<Clock::time_point*>(event); }

}  // namespace

void* create_event(Cpu) { return new Clock::time_point; }
void destroy_event(Cpu, void* event) noexcept { delete static_cast<Clock::time_point*>(event); }
void record_event(Cpu, void* event) { time_of(event) = Clock::now(); }

double elapsed_time(Cpu, void* start, void* end) {
  return std::chrono::duration<double, std::milli>(time_of(end) - time_of(start)).count();
}

}  // namespace deft::kernels
