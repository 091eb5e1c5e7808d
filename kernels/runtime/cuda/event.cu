#include "deft/kernels/runtime/cuda/context.h"
#include "deft/kernels/runtime/event.h"

namespace deft::kernels {

void* create_event(Cuda device) {
  context(device);
  cudaEvent_t event = nullptr;
  DEFT_CUDA_CHECK(cudaEventCreate(&event));
  return event;
}

void destroy_event(Cuda, void* event) noexcept { cudaEventDestroy(static_cast<cudaEvent_t>(event)); }

void record_event(Cuda device, void* event) {
  DEFT_CUDA_CHECK(cudaEventRecord(static_cast<cudaEvent_t>(event), context(device).stream));
}

double elapsed_time(Cuda device, void* start, void* end) {
  context(device);
  const auto last = static_cast<cudaEvent_t>(end);
  DEFT_CUDA_CHECK(cudaEventSynchronize(last));
  float milliseconds = 0;
  DEFT_CUDA_CHECK(cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(start), last));
  return milliseconds;
}

}  // namespace deft::kernels
