#include "stream.h"

#include <string>

#include "host_access.h"
#include "message.h"
#include "settings.h"

namespace cuda_emulator {
namespace {

struct Everything {
  std::recursive_mutex mutex;
  std::deque<Device> devices;
  std::map<cudaStream_t, std::shared_ptr<Stream>> streams;
  std::map<cudaEvent_t, Event> events;
  std::uintptr_t next_handle = 0x1000;  // of streams and events; none is used twice
  int opened = 0;                       // how many OpenMemory live
};

// Never destroyed: the library's objects with static lifetime may outlive ours.
Everything& everything() {
  static auto* all = new Everything;
  return *all;
}

thread_local int current_device = 0;

template <class Handle>
Handle new_handle() {
  return reinterpret_cast<Handle>(everything().next_handle += 16);
}

}  // namespace

Device::Device(int index)
    : index(index),
      memory(settings().device_bytes),
      legacy_stream(std::make_shared<Stream>(Stream{this, true, {}, {}})) {
  streams.push_back(legacy_stream);
}

std::recursive_mutex& mutex() { return everything().mutex; }

Device* find_device(int index) {
  auto& devices = everything().devices;
  if (devices.empty()) watch_host_accesses();
  while (static_cast<int>(devices.size()) < settings().devices) devices.emplace_back(static_cast<int>(devices.size()));
  return index >= 0 && index < static_cast<int>(devices.size()) ? &devices[static_cast<std::size_t>(index)] : nullptr;
}

int current_device_index() { return current_device; }
void set_current_device_index(int index) { current_device = index; }

std::shared_ptr<Stream> find_stream(cudaStream_t handle, const char* call) {
  if (handle == nullptr || handle == cudaStreamLegacy) return find_device(current_device)->legacy_stream;
  const auto found = everything().streams.find(handle);
  if (found == everything().streams.end()) fail(std::string(call) + ": the stream was destroyed or never made");
  return found->second;
}

Event& find_event(cudaEvent_t handle, const char* call) {
  const auto found = everything().events.find(handle);
  if (found == everything().events.end()) fail(std::string(call) + ": the event was destroyed or never made");
  return found->second;
}

cudaStream_t make_stream(Device& device, bool non_blocking) {
  const auto handle = new_handle<cudaStream_t>();
  auto stream = std::make_shared<Stream>(Stream{&device, !non_blocking, {}, {}});
  device.streams.push_back(stream);
  everything().streams[handle] = std::move(stream);
  return handle;
}

void destroy_stream(cudaStream_t handle) {
  const auto stream = find_stream(handle, "cudaStreamDestroy");
  run_until(end_of(stream));
  std::erase(stream->device->streams, stream);
  everything().streams.erase(handle);
}

cudaEvent_t make_event(bool timed) {
  const auto handle = new_handle<cudaEvent_t>();
  everything().events[handle] = Event{{}, timed, nullptr};
  return handle;
}

void destroy_event(cudaEvent_t handle) {
  find_event(handle, "cudaEventDestroy");
  everything().events.erase(handle);
}

// The legacy stream and those that wait for it run in the order in which they were given work.
void give(const std::shared_ptr<Stream>& stream, std::function<void()> run) {
  Task task{std::move(run), std::move(stream->next_waits_for)};
  stream->next_waits_for.clear();
  if (stream == stream->device->legacy_stream) {
    for (const auto& other : stream->device->streams) {
      if (other != stream && other->waits_for_legacy && !is_done(end_of(other))) task.after.push_back(end_of(other));
    }
  } else if (stream->waits_for_legacy && !is_done(end_of(stream->device->legacy_stream))) {
    task.after.push_back(end_of(stream->device->legacy_stream));
  }
  stream->tasks.push_back(std::move(task));
  ++stream->given;
}

Point end_of(const std::shared_ptr<Stream>& stream) { return {stream, stream->given}; }

bool is_done(const Point& point) { return point.stream == nullptr || point.stream->done >= point.count; }

void run_until(const Point& point) {
  if (is_done(point)) return;
  Stream& stream = *point.stream;
  const OpenMemory open(*stream.device);
  while (!is_done(point)) {
    const Task task = std::move(stream.tasks.front());
    stream.tasks.pop_front();
    for (const Point& earlier : task.after) run_until(earlier);
    task.run();
    ++stream.done;
  }
}

void run_all(Device& device) {
  for (const auto& stream : device.streams) run_until(end_of(stream));
}

OpenMemory::OpenMemory(Device& device) {
  ++everything().opened;
  device.memory.open();
}

OpenMemory::~OpenMemory() {
  if (--everything().opened > 0) return;
  for (Device& device : everything().devices) device.memory.close();
  watch_host_accesses();
}

}  // namespace cuda_emulator
