// Points in the order of a device's work, between which it is timed.
#pragma once

#include "deft/kernels/runtime/device.h"

namespace deft {

/// As torch.cuda.Event with timing. On the CPU, whose work is done when a call returns, it is a reading of the clock.
class Event {
 public:
  /// Throws Error when `device` is not there.
  explicit Event(Device device);
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  /// Stands for the end of the work that the device has been given until now. Does not wait.
  void record();

  /// Milliseconds from this event to `end`; waits until the device has reached `end`. Throws Error unless both were
  /// recorded, on the same device.
  double elapsed_time(const Event& end) const;

 private:
  Device device_;
  void* handle_;
  bool recorded_ = false;
};

namespace kernels {

/// A new event; record_event is called before it is measured from or to.
void* create_event(Cpu);
void* create_event(Cuda device);
void destroy_event(Cpu, void* event) noexcept;
void destroy_event(Cuda device, void* event) noexcept;

void record_event(Cpu, void* event);
void record_event(Cuda device, void* event);

/// Milliseconds between two recorded events; waits for `end`.
double elapsed_time(Cpu, void* start, void* end);
double elapsed_time(Cuda device, void* start, void* end);

}  // namespace kernels
}  // namespace deft
