// Stands in for NVIDIA's header of the same name, so that .cu files compile as plain C++ and their kernels run on the CPU,
// in tests (DEFT_CUDA=EMULATE). What it does not have, kernels may not use.
//
// The emulator is stricter than a GPU. It prints one line that starts with "cuda emulator:" and aborts on: a barrier that
// some threads of the block miss or meet at another place, a warp function that a lane of its mask misses, a copy or fill
// beyond an allocation, a kernel that writes behind one, a host pointer among a kernel's arguments, host code that touches
// device memory, a destroyed stream or event, memory that is freed twice or was never allocated. DEFT_SANITIZE=ON adds the
// address sanitizer, for which every shared array is a heap block of its own and device allocations have forbidden gaps
// between them.
//
// Work on streams starts only when the host waits for it (synchronisation of a stream, an event or the device, cudaFree,
// copies that wait), so that results which nobody waited for are still missing. Fresh device memory and each block's shared
// memory hold poison. cuda_emulator::settings() and these environment variables choose how kernels run:
//   CUDA_EMULATOR_POISON=a|b                        NaN and -1 (default), or 51015.28 and 1195853639
//   CUDA_EMULATOR_ORDER=forward|reverse|shuffled    in which a block's threads and a grid's blocks run
//   CUDA_EMULATOR_CHECK_LAUNCHES=1                  run each launch under both patterns and all orders; abort when the bits
//                                                   that it leaves in device memory differ (slow: it copies all of it;
//                                                   DEFT_ALLOCATOR=system keeps that small)
//   CUDA_EMULATOR_ORDER_DEPENDENT=NAME,NAME...      kernels, by parts of their names, that the check runs in one order
//   CUDA_EMULATOR_DEVICES=N                         devices (1)
//   CUDA_EMULATOR_DEVICE_MIB=N                      memory of each (4096)
//   CUDA_EMULATOR_CAPABILITY=75|80|86|89|90        as which GPU it answers, and how much shared memory a block may have (90)
#pragma once

#define DEFT_CUDA_EMULATED 1

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __grid_constant__

#include "device_math.h"
#include "kernel_launch.h"
#include "runtime_api.h"
#include "settings.h"
#include "synchronization.h"
#include "vector_types.h"
