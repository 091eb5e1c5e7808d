// The runtime's functions for errors, devices, streams and events.
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include "message.h"
#include "runtime_error.h"
#include "settings.h"
#include "stream.h"

using namespace cuda_emulator;

namespace {

thread_local cudaError_t last_error = cudaSuccess;

using Lock = std::lock_guard<std::recursive_mutex>;

Device& current() { return *find_device(current_device_index()); }

struct ErrorText {
  cudaError_t error;
  const char *name, *text;
};

constexpr ErrorText error_texts[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorInvalidMemcpyDirection, "cudaErrorInvalidMemcpyDirection", "invalid copy direction for memcpy"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
};

ErrorText text_of(cudaError_t error) {
  for (const ErrorText& each : error_texts) {
    if (each.error == error) return each;
  }
  return {error, "cudaErrorUnknown", "unrecognized error code"};
}

// A host that asks again and again finds the work done one day: each question lets one more task run.
cudaError_t query(const Point& point) {
  if (is_done(point)) return cudaSuccess;
  run_until({point.stream, point.stream->done + 1});
  return cudaErrorNotReady;
}

}  // namespace

namespace cuda_emulator {

cudaError_t report(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

}  // namespace cuda_emulator

const char* cudaGetErrorName(cudaError_t error) { return text_of(error).name; }
const char* cudaGetErrorString(cudaError_t error) { return text_of(error).text; }
cudaError_t cudaPeekAtLastError() { return last_error; }
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = settings().devices;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  const Lock lock(mutex());
  if (find_device(device) == nullptr) return report(cudaErrorInvalidDevice);
  set_current_device_index(device);
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = current_device_index();
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  const Lock lock(mutex());
  if (find_device(device) == nullptr) return report(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof(properties->name), "deft CUDA emulator");
  properties->totalGlobalMem = settings().device_bytes;
  properties->sharedMemPerBlock = 48 << 10;
  properties->sharedMemPerBlockOptin = settings().shared_bytes_per_block();
  properties->sharedMemPerMultiprocessor = settings().shared_bytes_per_block() + (1 << 10);
  properties->warpSize = warpSize;
  properties->maxThreadsPerBlock = 1024;
  for (int axis = 0; axis < 3; ++axis) {
    properties->maxThreadsDim[axis] = axis < 2 ? 1024 : 64;
    properties->maxGridSize[axis] = axis == 0 ? 0x7fffffff : 0xffff;
  }
  properties->maxThreadsPerMultiProcessor = 2048;
  properties->multiProcessorCount = 4;  // few, so that kernels with a block for each stay quick
  properties->major = settings().capability / 10;
  properties->minor = settings().capability % 10;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties;
  if (const cudaError_t status = cudaGetDeviceProperties(&properties, device); status != cudaSuccess) return status;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = properties.maxThreadsPerBlock;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(properties.sharedMemPerBlock);
      break;
    case cudaDevAttrWarpSize:
      *value = properties.warpSize;
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = properties.multiProcessorCount;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = properties.maxThreadsPerMultiProcessor;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = properties.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = properties.minor;
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(properties.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(properties.sharedMemPerBlockOptin);
      break;
    default:
      return report(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  const Lock lock(mutex());
  run_all(current());
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const Lock lock(mutex());
  *stream = make_stream(current(), (flags & cudaStreamNonBlocking) != 0);
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, cudaStreamDefault); }

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Lock lock(mutex());
  destroy_stream(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Lock lock(mutex());
  run_until(end_of(find_stream(stream, "cudaStreamSynchronize")));
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const Lock lock(mutex());
  return query(end_of(find_stream(stream, "cudaStreamQuery")));
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const Lock lock(mutex());
  const Point recorded = find_event(event, "cudaStreamWaitEvent").recorded;
  const auto waiting = find_stream(stream, "cudaStreamWaitEvent");
  if (!is_done(recorded)) give(waiting, [] {}), waiting->tasks.back().after.push_back(recorded);
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const Lock lock(mutex());
  *event = make_event((flags & cudaEventDisableTiming) == 0);
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const Lock lock(mutex());
  destroy_event(event);
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream_handle) {
  const Lock lock(mutex());
  Event& event = find_event(handle, "cudaEventRecord");
  const auto stream = find_stream(stream_handle, "cudaEventRecord");
  event.time = std::make_shared<std::chrono::steady_clock::time_point>();
  give(stream, [time = event.time] { *time = std::chrono::steady_clock::now(); });
  event.recorded = end_of(stream);
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Lock lock(mutex());
  run_until(find_event(event, "cudaEventSynchronize").recorded);
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  const Lock lock(mutex());
  return query(find_event(event, "cudaEventQuery").recorded);
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start_handle, cudaEvent_t end_handle) {
  const Lock lock(mutex());
  const Event& start = find_event(start_handle, "cudaEventElapsedTime");
  const Event& end = find_event(end_handle, "cudaEventElapsedTime");
  if (!start.timed || !end.timed || start.time == nullptr || end.time == nullptr) {
    return report(cudaErrorInvalidResourceHandle);
  }
  if (!is_done(start.recorded) || !is_done(end.recorded)) return report(cudaErrorNotReady);
  *milliseconds = std::chrono::duration<float, std::milli>(*end.time - *start.time).count();
  return cudaSuccess;
}
