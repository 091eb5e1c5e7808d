#include "deft/kernels/runtime/event.h"

#include "deft/kernels/runtime/dispatch.h"

namespace deft {

Event::Event(Device device)
    : device_(device), handle_(on_device(device, [](auto d) { return kernels::create_event(d); })) {}

Event::~Event() {
  on_device(device_, [&](auto d) { kernels::destroy_event(d, handle_); });
}

void Event::record() {
  on_device(device_, [&](auto d) { kernels::record_event(d, handle_); });
  recorded_ = true;
}

double Event::elapsed_time(const Event& end) const {
  if (device_ != end.device_) {
    throw Error("elapsed_time: the end is an event of " + to_string(end.device_) + ", expected " + to_string(device_));
  }
  if (!recorded_ || !end.recorded_) {
    throw Error(std::string("elapsed_time: the ") + (recorded_ ? "end" : "start") + " was not recorded");
  }
  return on_device(device_, [&](auto d) { return kernels::elapsed_time(d, handle_, end.handle_); });
}

}  // namespace deft
