// Streams, events and memory of the emulator.
#include <numeric>
#include <vector>

#include "catch.h"
#include "device_array.h"

namespace deft::testing {

using Catch::Matchers::Contains;
using kernels::Grid;
using kernels::launch;

__global__ void add_to_all(float* values, float what) { values[threadIdx.x] += what; }

// A stream that is destroyed at the end of the scope.
struct TestStream {
  explicit TestStream(unsigned flags = cudaStreamNonBlocking) {
    DEFT_CUDA_CHECK(cudaStreamCreateWithFlags(&stream, flags));
  }
  ~TestStream() { cudaStreamDestroy(stream); }
  cudaStream_t stream = nullptr;
};

struct TestEvent {
  TestEvent() { DEFT_CUDA_CHECK(cudaEventCreate(&event)); }
  ~TestEvent() { cudaEventDestroy(event); }
  cudaEvent_t event = nullptr;
};

void download(const PinnedArray<float>& to, const DeviceArray<float>& from, cudaStream_t stream) {
  DEFT_CUDA_CHECK(cudaMemcpyAsync(to.data(), from.data(), to.bytes(), cudaMemcpyDeviceToHost, stream));
}

TEST_CASE("nothing runs before the host waits") {
  const TestStream stream;
  const DeviceArray<float> values(std::vector<float>(4, 1));
  const PinnedArray<float> result(4);
  result[0] = -1;
  launch(add_to_all, Grid(1), 4, 0, stream.stream, values.data(), 2.0f);
  download(result, values, stream.stream);
  CHECK(result[0] == -1);
  CHECK(cudaStreamSynchronize(stream.stream) == cudaSuccess);
  CHECK(result[0] == 3);
}

TEST_CASE("waiting for one stream leaves the others alone") {
  const TestStream one, other;
  const DeviceArray<float> values(std::vector<float>(4, 1));
  const PinnedArray<float> result(4);
  result[0] = -1;
  launch(add_to_all, Grid(1), 4, 0, one.stream, values.data(), 2.0f);
  download(result, values, other.stream);
  SECTION("without an event it sees what was there before") {
    cudaStreamSynchronize(other.stream);
    CHECK(result[0] == 1);
  }
  SECTION("the device waits for all") {
    cudaDeviceSynchronize();
    CHECK(result[0] != -1);
  }
}

TEST_CASE("streams wait for events") {
  const TestStream one, other;
  const TestEvent event;
  const DeviceArray<float> values(std::vector<float>(4, 1));
  const PinnedArray<float> result(4);
  launch(add_to_all, Grid(1), 4, 0, one.stream, values.data(), 2.0f);
  DEFT_CUDA_CHECK(cudaEventRecord(event.event, one.stream));
  launch(add_to_all, Grid(1), 4, 0, one.stream, values.data(), 10.0f);  // behind the event
  DEFT_CUDA_CHECK(cudaStreamWaitEvent(other.stream, event.event));
  download(result, values, other.stream);
  cudaStreamSynchronize(other.stream);
  CHECK(result[0] == 3);
}

TEST_CASE("events tell whether their work is done, and how long it took") {
  const TestStream stream;
  const TestEvent start, end;
  const DeviceArray<float> values(std::vector<float>(4, 1));
  CHECK(cudaEventQuery(end.event) == cudaSuccess);  // never recorded
  float milliseconds = -1;
  CHECK(cudaEventElapsedTime(&milliseconds, start.event, end.event) == cudaErrorInvalidResourceHandle);
  DEFT_CUDA_CHECK(cudaEventRecord(start.event, stream.stream));
  launch(add_to_all, Grid(1), 4, 0, stream.stream, values.data(), 2.0f);
  DEFT_CUDA_CHECK(cudaEventRecord(end.event, stream.stream));
  CHECK(cudaEventElapsedTime(&milliseconds, start.event, end.event) == cudaErrorNotReady);
  int questions = 0;
  while (cudaEventQuery(end.event) == cudaErrorNotReady) ++questions;
  CHECK(questions > 0);
  CHECK(cudaEventElapsedTime(&milliseconds, start.event, end.event) == cudaSuccess);
  CHECK(milliseconds >= 0);
  CHECK(cudaStreamQuery(stream.stream) == cudaSuccess);
  cudaGetLastError();
}

TEST_CASE("the legacy stream and blocking streams keep the order of their work") {
  const TestStream blocking(cudaStreamDefault);
  const DeviceArray<float> values(std::vector<float>(4, 1));
  const PinnedArray<float> result(4);
  SECTION("the legacy stream after the other") {
    launch(add_to_all, Grid(1), 4, 0, blocking.stream, values.data(), 2.0f);
    CHECK(values.values()[0] == 3);
  }
  SECTION("the other after the legacy stream") {
    launch(add_to_all, Grid(1), 4, 0, nullptr, values.data(), 2.0f);
    download(result, values, blocking.stream);
    cudaStreamSynchronize(blocking.stream);
    CHECK(result[0] == 3);
  }
}

TEST_CASE("copies read pageable memory at the call and pinned memory when they run") {
  const TestStream stream;
  const DeviceArray<float> a(1), b(1);
  const PinnedArray<float> pinned(1);
  std::vector<float> pageable{1};
  pinned[0] = 1;
  DEFT_CUDA_CHECK(cudaMemcpyAsync(a.data(), pageable.data(), 4, cudaMemcpyHostToDevice, stream.stream));
  DEFT_CUDA_CHECK(cudaMemcpyAsync(b.data(), pinned.data(), 4, cudaMemcpyHostToDevice, stream.stream));
  pageable[0] = pinned[0] = 2;
  cudaStreamSynchronize(stream.stream);
  CHECK(a.values()[0] == 1);
  CHECK(b.values()[0] == 2);
}

TEST_CASE("fresh memory holds poison, memsets fill bytes") {
  const DeviceArray<unsigned char> memory(300);
  CHECK(memory.values() == std::vector<unsigned char>(300, cuda_emulator::settings().poison));
  DEFT_CUDA_CHECK(cudaMemset(memory.data() + 1, 7, 298));
  std::vector<unsigned char> expected(300, 7);
  expected.front() = expected.back() = cuda_emulator::settings().poison;
  CHECK(memory.values() == expected);
}

TEST_CASE("memory that was freed is used again, and there is an end of it") {
  std::size_t free_before = 0, free_after = 0, total = 0;
  DEFT_CUDA_CHECK(cudaMemGetInfo(&free_before, &total));
  void* pointer = nullptr;
  CHECK(cudaMalloc(&pointer, total + 1) == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaSuccess);
  for (int i = 0; i < 20; ++i) {
    DEFT_CUDA_CHECK(cudaMalloc(&pointer, total / 2));
    DEFT_CUDA_CHECK(cudaFree(pointer));
  }
  DEFT_CUDA_CHECK(cudaMemGetInfo(&free_after, &total));
  CHECK(free_after == free_before);
}

TEST_CASE("copies in the wrong direction are refused") {
  const DeviceArray<float> device(4);
  std::vector<float> host(4);
  CHECK(cudaMemcpy(host.data(), device.data(), 16, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(device.data(), device.data(), 16, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
  CHECK(cudaMemset(host.data(), 0, 16) == cudaErrorInvalidValue);
  cudaGetLastError();
}

TEST_CASE("two devices have memory and streams of their own") {
  cuda_emulator::settings().devices = 2;
  int count = 0;
  CHECK(cudaGetDeviceCount(&count) == cudaSuccess);
  REQUIRE(count == 2);
  const DeviceArray<float> first(std::vector<float>{1, 2, 3});
  CHECK(cudaSetDevice(2) == cudaErrorInvalidDevice);
  REQUIRE(cudaSetDevice(1) == cudaSuccess);
  {
    const DeviceArray<float> second(3);
    const TestStream stream;
    DEFT_CUDA_CHECK(cudaMemcpyPeerAsync(second.data(), 1, first.data(), 0, 12, stream.stream));
    launch(add_to_all, Grid(1), 3, 0, stream.stream, second.data(), 1.0f);
    cudaStreamSynchronize(stream.stream);
    CHECK(second.values() == std::vector<float>{2, 3, 4});
    // Kernels run on the device that is current.
    cudaSetDevice(0);
    CHECK_THROWS_WITH(launch(add_to_all, Grid(1), 3, 0, stream.stream, first.data(), 1.0f),
                      Contains("invalid resource handle"));
    cudaGetLastError();
  }
  cuda_emulator::settings().devices = 1;
}

}  // namespace deft::testing
