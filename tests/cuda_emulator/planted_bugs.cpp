// Mistakes that the emulator must catch, on tensors: `planted_bugs NAME planted` makes one, `planted_bugs NAME corrected`
// does the same without it. planted_bugs_test.cpp runs both.
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <string>

#include "deft/deft.h"
#include "deft/kernels/runtime/cuda/context.h"
#include "deft/kernels/runtime/memory.h"

namespace deft::planted {

using kernels::Context;
using kernels::Grid;
using kernels::launch;

constexpr int threads = 64;
constexpr unsigned whole_warp = 0xffffffffu;

__global__ void write_elements(float* output, int n) {
  for (int i = static_cast<int>(threadIdx.x); i < n; i += threads) output[i] = 1;
}

__global__ void read_elements(const float* input, float* output, int n) {
  float sum = 0;
  for (int i = 0; i < n; ++i) sum += input[i];
  output[threadIdx.x] = sum;
}

__global__ void shared_beyond_end(float* output, int reach) {
  DEFT_SHARED(float, values, threads);
  values[threadIdx.x] = 1;
  __syncthreads();
  const float* const first = values;
  output[threadIdx.x] = first[static_cast<int>(threadIdx.x) + reach];
}

__global__ void dynamic_shared_beyond_end(float* output, int n) {
  float* values = kernels::dynamic_shared<float>();
  values[threadIdx.x] = 1;
  output[threadIdx.x] = values[n - 1];
}

template <bool corrected>
__global__ void uninitialised_shared(float* output) {
  DEFT_SHARED(float, sum, 1);
  if (corrected && threadIdx.x == 0) sum[0] = 0;
  __syncthreads();
  atomicAdd(&sum[0], 1.0f);
  __syncthreads();
  output[threadIdx.x] = sum[0];
}

// fmaxf takes the other number where one is NaN, so that only the second pattern shows what was read.
__global__ void uninitialised_global(const float* scratch, float* output) {
  output[threadIdx.x] = fmaxf(scratch[threadIdx.x], 1.0f);
}

// Each thread reads what another one writes.
template <bool corrected>
__global__ void missing_barrier(const float* input, float* output) {
  DEFT_SHARED(float, values, threads);
  values[threadIdx.x] = input[threadIdx.x];
  if (corrected) __syncthreads();
  output[threadIdx.x] = values[threads - 1 - threadIdx.x];
}

// The second round overwrites what others still read.
template <bool corrected>
__global__ void missing_second_barrier(const float* input, float* output) {
  DEFT_SHARED(float, value, 1);
  float sum = 0;
  for (unsigned round = 0; round < 2; ++round) {
    if (threadIdx.x == round * (threads - 1)) value[0] = input[round];
    __syncthreads();
    sum += 2 * sum + value[0];
    if (corrected) __syncthreads();
  }
  output[threadIdx.x] = sum;
}

template <bool corrected>
__global__ void divergent_barrier(float* output) {
  if (corrected || threadIdx.x < 32) __syncthreads();
  output[threadIdx.x] = 1;
}

template <bool corrected>
__global__ void two_barriers(float* output) {
  if (corrected || threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  output[threadIdx.x] = 1;
}

template <bool corrected>
__global__ void exited_lane(float* output) {
  if (!corrected && threadIdx.x == 5) return;
  output[threadIdx.x] = __shfl_xor_sync(whole_warp, 1.0f, 1);
}

template <bool corrected>
__global__ void lane_at_barrier(float* output) {
  float value = 1;
  if (corrected || threadIdx.x != 40) value = __shfl_xor_sync(whole_warp, value, 1);
  __syncthreads();
  output[threadIdx.x] = value;
}

template <bool corrected>
__global__ void order_of_blocks(float* counter, float* output) {
  if (corrected) {
    output[blockIdx.x] = static_cast<float>(blockIdx.x);
  } else if (threadIdx.x == 0) {
    output[blockIdx.x] = (*counter)++;
  }
}

template <bool corrected>
__global__ void too_much_shared(float* output) {
  DEFT_SHARED(float, values, (corrected ? 48 : 49) * 256);
  values[threadIdx.x] = 1;
  output[threadIdx.x] = values[threadIdx.x];
}

__global__ void __attribute__((noinline)) overflow_stack(float* output, int depth) {
  volatile float frame[256];
  frame[0] = 1;
  if (depth > 0) overflow_stack(output, depth - 1);
  output[threadIdx.x] = frame[0];
}

// What a mistake is made with.
struct Scene {
  bool corrected = false;
  Context& gpu = kernels::context(kernels::Cuda{});
  Tensor input = arange(0, threads).to(DType::float32).to(Device::cuda());
  Tensor output = zeros({threads}, {.device = Device::cuda()});

  template <class... Parameters, class... Arguments>
  void start(void (*kernel)(Parameters...), Arguments... arguments) {
    launch(kernel, Grid(1), threads, 0, gpu.stream, arguments...);
    synchronize(Device::cuda());
  }
  // One of two instances of a kernel.
  template <class Kernel, class... Arguments>
  void start_one(Kernel planted, Kernel correct, Arguments... arguments) {
    start(corrected ? correct : planted, arguments...);
  }
  const float* in() const { return input.data<float>(); }
  float* out() { return output.mutable_data<float>(); }
};

void expect(float found, float expected) {
  if (found == expected) return;
  std::fprintf(stderr, "wrong result: %g, expected %g\n", found, expected);
  std::exit(1);
}

void missing_synchronisation(Scene& scene) {
  float* result = nullptr;
  DEFT_CUDA_CHECK(cudaMallocHost(&result, sizeof(float)));
  launch(write_elements, Grid(1), threads, 0, scene.gpu.stream, scene.out(), threads);
  DEFT_CUDA_CHECK(cudaMemcpyAsync(result, scene.out(), sizeof(float), cudaMemcpyDeviceToHost, scene.gpu.stream));
  if (scene.corrected) synchronize(Device::cuda());
  expect(*result, 1);
  DEFT_CUDA_CHECK(cudaFreeHost(result));
}

void host_reads_device(Scene& scene) {
  expect(scene.corrected ? scene.input.to(Device::cpu()).data<float>()[3] : scene.in()[3], 3);
}

void host_pointer(Scene& scene) {
  float host[threads] = {};
  scene.start(read_elements, static_cast<const float*>(scene.corrected ? scene.in() : host), scene.out(), threads);
}

void uninitialised_tensor(Scene& scene) {
  const TensorOptions options{.device = Device::cuda()};
  const Tensor scratch = scene.corrected ? zeros({threads}, options) : empty({threads}, options);
  scene.start(uninitialised_global, scratch.data<float>(), scene.out());
}

void freed_tensor(Scene& scene) {
  const float* before = scene.in();
  if (!scene.corrected) scene.input = Tensor();
  empty_cache(Device::cuda());
  scene.start(read_elements, before, scene.out(), threads);
}

void copy_beyond_end(Scene& scene) {
  float host[threads + 1] = {};
  DEFT_CUDA_CHECK(cudaMemcpyAsync(scene.out(), host, sizeof(float) * (threads + (scene.corrected ? 0 : 1)),
                                  cudaMemcpyHostToDevice, scene.gpu.stream));
  synchronize(Device::cuda());
}

void destroyed_stream(Scene& scene) {
  cudaStream_t stream = nullptr;
  DEFT_CUDA_CHECK(cudaStreamCreate(&stream));
  if (!scene.corrected) DEFT_CUDA_CHECK(cudaStreamDestroy(stream));
  launch(write_elements, Grid(1), threads, 0, stream, scene.out(), threads);
  DEFT_CUDA_CHECK(cudaStreamDestroy(stream));
}

void destroyed_event(Scene& scene) {
  cudaEvent_t event = nullptr;
  DEFT_CUDA_CHECK(cudaEventCreate(&event));
  if (!scene.corrected) DEFT_CUDA_CHECK(cudaEventDestroy(event));
  DEFT_CUDA_CHECK(cudaEventRecord(event, scene.gpu.stream));
  DEFT_CUDA_CHECK(cudaEventDestroy(event));
}

void freed_twice(Scene& scene) {
  void* pointer = nullptr;
  DEFT_CUDA_CHECK(cudaMalloc(&pointer, 100));
  DEFT_CUDA_CHECK(cudaFree(pointer));
  if (!scene.corrected) cudaFree(pointer);
}

void foreign_pointer(Scene& scene) {
  void* pointer = std::malloc(100);
  if (!scene.corrected) cudaFree(pointer);
  std::free(pointer);
}

void product_beyond_end(Scene& scene) {
  const float one = 1, zero = 0;
  const int rows = scene.corrected ? threads : threads + 1;
  DEFT_CUBLAS_CHECK(cublasSgemm(scene.gpu.cublas, CUBLAS_OP_N, CUBLAS_OP_N, rows, 1, 1, &one, scene.in(), rows,
                                scene.in(), 1, &zero, scene.out(), rows));
  synchronize(Device::cuda());
}

const std::map<std::string, std::function<void(Scene&)>> bugs = {
    {"global write", [](Scene& s) { s.start(write_elements, s.out(), threads + (s.corrected ? 0 : 1)); }},
    {"global read", [](Scene& s) { s.start(read_elements, s.in(), s.out(), threads + (s.corrected ? 0 : 1)); }},
    {"shared access", [](Scene& s) { s.start(shared_beyond_end, s.out(), s.corrected ? 0 : 1); }},
    {"dynamic shared access",
     [](Scene& s) {
       launch(dynamic_shared_beyond_end, Grid(1), threads, threads * sizeof(float), s.gpu.stream, s.out(),
              s.corrected ? 1 : threads + 1);
       synchronize(Device::cuda());
     }},
    {"uninitialised shared",
     [](Scene& s) { s.start_one(uninitialised_shared<false>, uninitialised_shared<true>, s.out()); }},
    {"uninitialised tensor", uninitialised_tensor},
    {"missing barrier", [](Scene& s) { s.start_one(missing_barrier<false>, missing_barrier<true>, s.in(), s.out()); }},
    {"missing second barrier",
     [](Scene& s) { s.start_one(missing_second_barrier<false>, missing_second_barrier<true>, s.in(), s.out()); }},
    {"divergent barrier", [](Scene& s) { s.start_one(divergent_barrier<false>, divergent_barrier<true>, s.out()); }},
    {"two barriers", [](Scene& s) { s.start_one(two_barriers<false>, two_barriers<true>, s.out()); }},
    {"exited lane", [](Scene& s) { s.start_one(exited_lane<false>, exited_lane<true>, s.out()); }},
    {"lane at barrier", [](Scene& s) { s.start_one(lane_at_barrier<false>, lane_at_barrier<true>, s.out()); }},
    {"order of blocks",
     [](Scene& s) {
       float* counter = s.input.mutable_data<float>();
       launch(s.corrected ? order_of_blocks<true> : order_of_blocks<false>, Grid(threads), 32, 0, s.gpu.stream, counter,
              s.out());
       synchronize(Device::cuda());
     }},
    {"too much shared", [](Scene& s) { s.start_one(too_much_shared<false>, too_much_shared<true>, s.out()); }},
    {"stack overflow", [](Scene& s) { s.start(overflow_stack, s.out(), s.corrected ? 2 : 100000); }},
    {"missing synchronisation", missing_synchronisation},
    {"host reads device", host_reads_device},
    {"host pointer", host_pointer},
    {"freed tensor", freed_tensor},
    {"copy beyond end", copy_beyond_end},
    {"destroyed stream", destroyed_stream},
    {"destroyed event", destroyed_event},
    {"freed twice", freed_twice},
    {"foreign pointer", foreign_pointer},
    {"product beyond end", product_beyond_end},
};

}  // namespace deft::planted

int main(int count, char** arguments) {
  const auto bug = count == 3 ? deft::planted::bugs.find(arguments[1]) : deft::planted::bugs.end();
  const std::string which = count == 3 ? arguments[2] : "";
  if (bug == deft::planted::bugs.end() || (which != "planted" && which != "corrected")) {
    std::fprintf(stderr, "usage: planted_bugs NAME planted|corrected\n");
    return 2;
  }
  deft::planted::Scene scene{.corrected = which == "corrected"};
  bug->second(scene);
  std::puts("ended");
  return 0;
}
