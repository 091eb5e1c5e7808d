#include <atomic>
#include <deque>
#include <mutex>
#include <string>

#include "deft/kernels/runtime/cuda/context.h"
#include "deft/kernels/runtime/dispatch.h"
#include "deft/kernels/runtime/precision.h"

namespace deft {
namespace kernels {
namespace {

[[noreturn]] void fail(const char* what, const char* call, const char* file, int line) {
  const std::string path = file;
  throw Error(std::string("cuda: ") + what + " (" + call + ", " + path.substr(path.rfind('/') + 1) + ":" +
              std::to_string(line) + ")");
}

// Workspace that cuBLAS would otherwise allocate at its first product of each size; 32 MiB is what NVIDIA advises for
// Hopper.
constexpr std::size_t cublas_workspace_bytes = std::size_t{32} << 20;

Context open(int index) {
  Context context;
  context.index = index;
  DEFT_CUDA_CHECK(cudaSetDevice(index));
  DEFT_CUDA_CHECK(cudaStreamCreateWithFlags(&context.stream, cudaStreamNonBlocking));
  DEFT_CUDA_CHECK(cudaDeviceGetAttribute(&context.multiprocessors, cudaDevAttrMultiProcessorCount, index));
  int major = 0, minor = 0;
  DEFT_CUDA_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, index));
  DEFT_CUDA_CHECK(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, index));
  context.compute_capability = 10 * major + minor;
  int shared_bytes = 0;
  DEFT_CUDA_CHECK(cudaDeviceGetAttribute(&shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, index));
  context.shared_bytes_per_block = static_cast<std::size_t>(shared_bytes);
  DEFT_CUBLAS_CHECK(cublasCreate(&context.cublas));
  DEFT_CUBLAS_CHECK(cublasSetStream(context.cublas, context.stream));
  void* workspace = nullptr;
  DEFT_CUDA_CHECK(cudaMalloc(&workspace, cublas_workspace_bytes));
  DEFT_CUBLAS_CHECK(cublasSetWorkspace(context.cublas, workspace, cublas_workspace_bytes));
  DEFT_CUDA_CHECK(cudaMallocHost(reinterpret_cast<void**>(&context.fault), sizeof(IndexFault)));
  *context.fault = {};
  return context;
}

// CUDA calls it an insufficient driver where there is none at all.
const char* why_no_device(cudaError_t status) {
  int driver = 0;
  const bool no_driver = cudaDriverGetVersion(&driver) == cudaSuccess && driver == 0;
  return no_driver ? "no NVIDIA driver is installed" : cudaGetErrorString(status);
}

// Never destroyed: the driver may be gone when objects with static lifetime end.
struct Contexts {
  std::mutex mutex;
  std::deque<Context> all;
};

}  // namespace

void check_cuda(cudaError_t status, const char* call, const char* file, int line) {
  if (status != cudaSuccess) fail(cudaGetErrorString(status), call, file, line);
}

void check_cublas(cublasStatus_t status, const char* call, const char* file, int line) {
  if (status != CUBLAS_STATUS_SUCCESS) fail(cublasGetStatusString(status), call, file, line);
}

void require_device(Cuda device) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  const std::string name = to_string(Device::cuda(device.index));
  if (status != cudaSuccess) throw Error(name + ": no GPU can be used here: " + why_no_device(status));
  if (count == 0) throw Error(name + ": this machine has no CUDA GPU");
  if (device.index < 0 || device.index >= count) {
    throw Error(name + ": there is no such GPU, the last one is cuda:" + std::to_string(count - 1));
  }
}

int cuda_device_count() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

std::string gpu_name(Cuda device) {
  require_device(device);
  cudaDeviceProp properties;
  DEFT_CUDA_CHECK(cudaGetDeviceProperties(&properties, device.index));
  return properties.name;
}

Context& context(Cuda device) {
  static auto* contexts = new Contexts;
  const std::lock_guard lock(contexts->mutex);
  if (contexts->all.empty()) contexts->all.resize(static_cast<std::size_t>(cuda_device_count()));
  if (device.index < 0 || device.index >= static_cast<int>(contexts->all.size())) require_device(device);
  Context& found = contexts->all[static_cast<std::size_t>(device.index)];
  if (found.stream == nullptr) {
    found = open(device.index);
  } else {
    DEFT_CUDA_CHECK(cudaSetDevice(device.index));
  }
  return found;
}

cublasHandle_t cublas(Context& context) {
  const bool tf32 = matmul_precision() == MatmulPrecision::tf32;
  DEFT_CUBLAS_CHECK(cublasSetMathMode(context.cublas, tf32 ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH));
  return context.cublas;
}

void check_fault(Context& context) {
  static std::mutex mutex;  // threads that wait at the same time
  const std::lock_guard lock(mutex);
  const std::atomic_ref<int> state(context.fault->state);
  if (state.load() != IndexFault::complete) return;
  const IndexFault fault = *context.fault;
  state.store(IndexFault::none);
  throw Error(std::string(fault.what) + "[" + std::to_string(fault.position) + "] is " + std::to_string(fault.index) +
              ", expected 0 to " + std::to_string(fault.size - 1));
}

void synchronize(Cuda device) {
  Context& waited = context(device);
  DEFT_CUDA_CHECK(cudaStreamSynchronize(waited.stream));
  check_fault(waited);
}

}  // namespace kernels
}  // namespace deft
