// What kernels on a GPU share: its stream, its cuBLAS handle, its properties.
#pragma once

#include <cublas_v2.h>

#include "deft/kernels/runtime/cuda/launch.h"
#include "deft/kernels/runtime/device.h"

namespace deft::kernels {

/// Throws Error with the call, where it stands and cuBLAS's name for the failure, unless `status` is success.
void check_cublas(cublasStatus_t status, const char* call, const char* file, int line);

#define DEFT_CUBLAS_CHECK(call) ::deft::kernels::check_cublas(call, #call, __FILE__, __LINE__)

/// An index out of range that a kernel found; kernels/runtime/cuda/fault.h fills it in.
struct IndexFault {
  enum State : int { none, being_written, complete };

  int state = none;            ///< of the other members; changed atomically by kernels and host
  const char* what = nullptr;  ///< "operation: argument"
  std::int64_t position = 0, index = 0, size = 0;
};

/// One GPU as deft uses it: all of its work goes to one stream, in order.
struct Context {
  int index = 0;
  cudaStream_t stream = nullptr;
  cublasHandle_t cublas = nullptr;  ///< on `stream`, with a workspace of its own; results in full precision unless told
  int multiprocessors = 0;
  int compute_capability = 0;              ///< 10 · major + minor
  std::size_t shared_bytes_per_block = 0;  ///< most that launch() can be asked for
  IndexFault* fault = nullptr;             ///< in page-locked host memory, which kernels write and the host reads
};

/// The context of a GPU, made at the first call, and this GPU made the thread's current one. Throws Error when there is
/// no such GPU.
Context& context(Cuda device);

/// Throws Error, and forgets the fault, when a kernel that the host has waited for has found an index out of range.
void check_fault(Context& context);

/// cuBLAS's handle with TF32 allowed for float32 products or not, as set_matmul_precision says.
cublasHandle_t cublas(Context& context);

}  // namespace deft::kernels
