// Devices, and streams whose work waits until the host does.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "device_memory.h"
#include "runtime_api.h"

namespace cuda_emulator {

struct Device {
  explicit Device(int index);

  int index;
  DeviceMemory memory;
  std::shared_ptr<struct Stream> legacy_stream;
  std::vector<std::shared_ptr<Stream>> streams;  // with the legacy one, as long as they live
};

/// A point in a stream: the first `count` tasks that it was given.
struct Point {
  std::shared_ptr<Stream> stream;
  std::uint64_t count = 0;
};

struct Task {
  std::function<void()> run;
  std::vector<Point> after;
};

struct Stream {
  Device* device;
  bool waits_for_legacy;  // false with cudaStreamNonBlocking
  std::deque<Task> tasks;
  std::vector<Point> next_waits_for;  // of the next task
  std::uint64_t given = 0, done = 0;
};

struct Event {
  Point recorded;
  bool timed;
  std::shared_ptr<std::chrono::steady_clock::time_point> time;
};

/// Held by every call of the API; streams run under it.
std::recursive_mutex& mutex();

/// Null when there is no such device.
Device* find_device(int index);
int current_device_index();
void set_current_device_index(int index);

/// The stream that a handle names. Aborts when it was destroyed or never made; `call` is for the message.
std::shared_ptr<Stream> find_stream(cudaStream_t handle, const char* call);
Event& find_event(cudaEvent_t handle, const char* call);

cudaStream_t make_stream(Device& device, bool non_blocking);
void destroy_stream(cudaStream_t handle);
cudaEvent_t make_event(bool timed);
void destroy_event(cudaEvent_t handle);

/// Appends a task, which runs with the device's memory open.
void give(const std::shared_ptr<Stream>& stream, std::function<void()> run);
Point end_of(const std::shared_ptr<Stream>& stream);

bool is_done(const Point& point);
/// Runs the stream's tasks up to the point, and before each what it waits for.
void run_until(const Point& point);
void run_all(Device& device);

/// While one lives, host code may read this device's memory.
class OpenMemory {
 public:
  explicit OpenMemory(Device& device);
  ~OpenMemory();
  OpenMemory(const OpenMemory&) = delete;
  OpenMemory& operator=(const OpenMemory&) = delete;
};

}  // namespace cuda_emulator
