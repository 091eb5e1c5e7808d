// What kernels see on the emulator: indices, shared memory, barriers, warp functions, atomics, device functions, limits.
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "catch.h"
#include "device_array.h"

namespace deft::testing {

using Catch::Matchers::Contains;
using kernels::Grid;
using kernels::launch;

constexpr unsigned whole_warp = 0xffffffffu;

__global__ void write_indices(int* output) {
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  output[block * threads + thread] += static_cast<int>(block * threads + thread);
}

TEST_CASE("each thread of each block runs once, in any order") {
  constexpr int threads = 5 * 3 * 2, blocks = 4 * 3 * 7;
  std::vector<int> expected(threads * blocks);
  std::iota(expected.begin(), expected.end(), 0);
  for (const auto order : cuda_emulator::orders) {
    cuda_emulator::settings().order = order;
    const DeviceArray<int> output(std::vector<int>(expected.size(), 0));
    launch(write_indices, Grid(dim3(4, 3, 7)), dim3(5, 3, 2), 0, nullptr, output.data());
    CHECK(output.values() == expected);
  }
  cuda_emulator::settings().order = cuda_emulator::Order::forward;
}

__global__ void note_order(int* counter, int* output) { output[kernels::first_index()] = (*counter)++; }

TEST_CASE("settings choose the order of threads and blocks") {
  const auto run = [](cuda_emulator::Order order) {
    cuda_emulator::settings().order = order;
    const DeviceArray<int> counter(std::vector<int>{0}), output(256);
    launch(note_order, Grid(2), 128, 0, nullptr, counter.data(), output.data());
    cuda_emulator::settings().order = cuda_emulator::Order::forward;
    return output.values();
  };
  std::vector<int> forward(256);
  std::iota(forward.begin(), forward.end(), 0);
  CHECK(run(cuda_emulator::Order::forward) == forward);
  CHECK(run(cuda_emulator::Order::reverse) == std::vector<int>(forward.rbegin(), forward.rend()));
  std::vector<int> shuffled = run(cuda_emulator::Order::shuffled);
  CHECK(shuffled != forward);
  std::sort(shuffled.begin(), shuffled.end());
  CHECK(shuffled == forward);
}

__global__ void reverse_block(const int* input, int* output) {
  DEFT_SHARED(int, values, 256);
  int* const again = kernels::dynamic_shared<int>();
  values[threadIdx.x] = input[kernels::first_index()];
  __syncthreads();
  again[threadIdx.x] = values[blockDim.x - 1 - threadIdx.x];
  __syncthreads();
  output[kernels::first_index()] = again[threadIdx.x];
}

TEST_CASE("barriers wait for all threads of the block") {
  std::vector<int> input(512);
  std::iota(input.begin(), input.end(), 0);
  const DeviceArray<int> from(input), to(input.size());
  for (const auto order : cuda_emulator::orders) {
    cuda_emulator::settings().order = order;
    launch(reverse_block, Grid(2), 256, 256 * sizeof(int), nullptr, from.data(), to.data());
    const std::vector<int> output = to.values();
    for (int i = 0; i < 512; ++i) CHECK(output[static_cast<std::size_t>(i)] == i / 256 * 256 + 255 - i % 256);
  }
  cuda_emulator::settings().order = cuda_emulator::Order::forward;
}

__global__ void count_at_barrier(int* output) {
  const bool third = threadIdx.x % 3 == 0;
  const int count = __syncthreads_count(third), any = __syncthreads_or(threadIdx.x == 40);
  const int none = __syncthreads_or(threadIdx.x == 1000), all = __syncthreads_and(threadIdx.x < 1000);
  const int not_all = __syncthreads_and(third);
  if (threadIdx.x == 7) {
    output[0] = count;
    output[1] = any != 0;
    output[2] = none != 0;
    output[3] = all != 0;
    output[4] = not_all != 0;
  }
}

TEST_CASE("barriers count predicates") {
  const DeviceArray<int> output(5);
  launch(count_at_barrier, Grid(1), 96, 0, nullptr, output.data());
  CHECK(output.values() == std::vector<int>{32, 1, 0, 1, 0});
}

template <class T>
__global__ void shuffle_all(const T* input, T* output) {
  const T value = input[threadIdx.x];
  T* const mine = output + threadIdx.x * 6;
  mine[0] = __shfl_down_sync(whole_warp, value, 3);
  mine[1] = __shfl_up_sync(whole_warp, value, 3);
  mine[2] = __shfl_xor_sync(whole_warp, value, 5);
  mine[3] = __shfl_sync(whole_warp, value, 37);
  mine[4] = __shfl_down_sync(whole_warp, value, 3, 8);
  mine[5] = __shfl_sync(whole_warp, value, 10, 8);
}

TEMPLATE_TEST_CASE("shuffles move values between lanes", "", int, unsigned, std::int64_t, float, double) {
  using T = TestType;
  std::vector<T> input(64), expected;
  std::iota(input.begin(), input.end(), T(7));
  for (int i = 0; i < 64; ++i) {
    const int warp = i / 32 * 32, lane = i % 32;
    const int sources[] = {lane + 3 < 32 ? lane + 3 : lane,
                           lane < 3 ? lane : lane - 3,
                           lane ^ 5,
                           5,
                           lane % 8 + 3 < 8 ? lane + 3 : lane,
                           lane / 8 * 8 + 2};
    for (const int source : sources) expected.push_back(input[static_cast<std::size_t>(warp + source)]);
  }
  const DeviceArray<T> from(input), to(expected.size());
  launch(shuffle_all<T>, Grid(1), 64, 0, nullptr, from.data(), to.data());
  CHECK(to.values() == expected);
}

__global__ void shuffle_halves(int* output) {
  const int lane = static_cast<int>(threadIdx.x);
  int value = lane;
  if (lane < 16) {
    for (int i = 8; i > 0; i /= 2) value += __shfl_xor_sync(0x0000ffffu, value, i);
  } else {
    value = __shfl_sync(0xffff0000u, value, 20);
  }
  output[lane] = value;
}

TEST_CASE("halves of a warp go their own ways") {
  const DeviceArray<int> output(32);
  launch(shuffle_halves, Grid(1), 32, 0, nullptr, output.data());
  std::vector<int> expected(32, 20);
  std::fill(expected.begin(), expected.begin() + 16, 120);
  CHECK(output.values() == expected);
}

__global__ void vote_all(unsigned* output) {
  const unsigned lane = threadIdx.x;
  const unsigned ballot = __ballot_sync(whole_warp, lane % 4 == 1);
  const int any = __any_sync(whole_warp, lane == 3), none = __any_sync(whole_warp, false);
  const int all = __all_sync(whole_warp, true), not_all = __all_sync(whole_warp, lane != 9);
  __syncwarp();
  if (lane == 11) {
    output[0] = ballot;
    output[1] = any != 0 && none == 0 && all != 0 && not_all == 0;
    output[2] = __activemask();
  }
}

TEST_CASE("votes see every lane") {
  const DeviceArray<unsigned> output(3);
  launch(vote_all, Grid(1), 32, 0, nullptr, output.data());
  const std::vector<unsigned> got = output.values();
  CHECK(got[0] == 0x22222222u);
  CHECK(got[1] == 1);
  CHECK((got[2] >> 11 & 1) == 1);
}

struct LaneSum {
  int value;
  int sum;
};

__global__ void sum_together(int* output) {
  LaneSum mine{static_cast<int>(threadIdx.x), 0};
  cuda_emulator::warp_collective<LaneSum>(whole_warp, mine, [](LaneSum* const* lanes, unsigned) {
    for (int i = 0; i < 32; ++i) {
      for (int j = 0; j <= i; ++j) lanes[i]->sum += lanes[j]->value;
    }
  });
  output[threadIdx.x] = mine.sum;
}

TEST_CASE("a warp computes together what its lanes bring") {
  const DeviceArray<int> output(32);
  launch(sum_together, Grid(1), 32, 0, nullptr, output.data());
  const std::vector<int> sums = output.values();
  for (int i = 0; i < 32; ++i) CHECK(sums[static_cast<std::size_t>(i)] == i * (i + 1) / 2);
}

struct Atomics {
  int sum, most, least, exchanged, locked, bits;
  unsigned long long wide;
  float single;
  double real;
};

__global__ void change_atomically(Atomics* a) {
  const int i = static_cast<int>(kernels::first_index());
  atomicAdd(&a->sum, i);
  atomicMax(&a->most, i);
  atomicMin(&a->least, -i);
  atomicExch(&a->exchanged, 5);
  atomicCAS(&a->locked, 0, 1);
  atomicOr(&a->bits, 1 << i % 8);
  atomicAdd(&a->wide, 1ull << 33);
  atomicAdd(&a->single, 0.5f);
  atomicAdd(&a->real, 0.25);
}

TEST_CASE("atomics change memory once per thread") {
  const DeviceArray<Atomics> memory(std::vector<Atomics>(1));
  launch(change_atomically, Grid(2), 50, 0, nullptr, memory.data());
  const Atomics a = memory.values()[0];
  CHECK(a.sum == 4950);
  CHECK(a.most == 99);
  CHECK(a.least == -99);
  CHECK(a.exchanged == 5);
  CHECK(a.locked == 1);
  CHECK(a.bits == 255);
  CHECK(a.wide == 100ull << 33);
  CHECK(a.single == 50.0f);
  CHECK(a.real == 25.0);
}

TEST_CASE("device functions follow CUDA's definitions") {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(__float2int_rd(-1.5f) == -2);
  CHECK(__float2int_rn(2.5f) == 2);
  CHECK(__float2int_rz(-1.5f) == -1);
  CHECK(__float2int_ru(1.25f) == 2);
  // Out of range: saturated; NaN is 0, or the smallest of 64 bits.
  CHECK(__float2int_rz(1e20f) == 2147483647);
  CHECK(__float2int_rz(-inf) == -2147483647 - 1);
  CHECK(__float2int_rz(nan) == 0);
  CHECK(__float2ll_rz(inf) == std::numeric_limits<long long>::max());
  CHECK(__float2ll_rz(nan) == std::numeric_limits<long long>::min());
  CHECK(__float2uint_rz(-3.0f) == 0);
  CHECK(__double2uint_rz(1e10) == 4294967295u);
  CHECK(__popc(0xf0f0u) == 8);
  CHECK(__clz(1) == 31);
  CHECK(__ffs(0x10) == 5);
  CHECK(__umulhi(0x80000000u, 6u) == 3u);
  CHECK(__umul64hi(1ull << 63, 6ull) == 3ull);
  CHECK(rsqrtf(16.0f) == 0.25f);
  CHECK(fmaxf(nan, 1.0f) == 1.0f);
}

TEST_CASE("TF32 keeps ten bits of mantissa, to nearest, ties away from zero") {
  using cuda_emulator::round_to_tf32;
  CHECK(round_to_tf32(1.0f + 0x1p-10f) == 1.0f + 0x1p-10f);
  CHECK(round_to_tf32(1.0f + 0x1p-11f) == 1.0f + 0x1p-10f);
  CHECK(round_to_tf32(-1.0f - 0x1p-11f) == -1.0f - 0x1p-10f);
  CHECK(round_to_tf32(1.0f + 0x1p-11f - 0x1p-23f) == 1.0f);
  CHECK(round_to_tf32(std::numeric_limits<float>::infinity()) == std::numeric_limits<float>::infinity());
  CHECK(std::isnan(round_to_tf32(std::numeric_limits<float>::quiet_NaN())));
}

__global__ void do_nothing() {}

__global__ void read_fresh_shared(unsigned char* output) {
  DEFT_SHARED(unsigned char, declared, 4);
  output[0] = declared[threadIdx.x];
  output[1] = kernels::dynamic_shared<unsigned char>()[0];
  declared[threadIdx.x] = 1;
}

TEST_CASE("shared memory holds poison at the start of each block") {
  const DeviceArray<unsigned char> output(2);
  for (const unsigned char poison : cuda_emulator::poison_patterns) {
    cuda_emulator::settings().poison = poison;
    launch(read_fresh_shared, Grid(3), 1, 16, nullptr, output.data());
    CHECK(output.values() == std::vector<unsigned char>{poison, poison});
  }
  cuda_emulator::settings().poison = cuda_emulator::poison_patterns[0];
}

TEST_CASE("launches beyond the hardware's limits are refused") {
  const auto threads = [](dim3 block) { launch(do_nothing, Grid(1), block, 0, nullptr); };
  CHECK_NOTHROW(threads(1024));
  CHECK_NOTHROW(threads({4, 4, 64}));
  CHECK_THROWS_WITH(threads(1025), Contains("invalid configuration argument"));
  CHECK_THROWS_WITH(threads({1, 1, 65}), Contains("invalid configuration argument"));
  CHECK_THROWS_WITH(threads(0), Contains("invalid configuration argument"));
  CHECK_THROWS_WITH(launch(do_nothing, Grid(dim3(1, 65536)), 1, 0, nullptr),
                    Contains("invalid configuration argument"));
  const std::size_t most = cuda_emulator::settings().shared_bytes_per_block();
  CHECK_NOTHROW(launch(do_nothing, Grid(1), 1, most, nullptr));
  CHECK_THROWS_WITH(launch(do_nothing, Grid(1), 1, most + 1, nullptr), Contains("cudaFuncSetAttribute"));
  cudaDeviceSynchronize();
  cudaGetLastError();
}

TEST_CASE("shared memory follows the compute capability") {
  const auto most = [](int capability) {
    cuda_emulator::settings().capability = capability;
    int bytes = 0, major = 0, minor = 0;
    cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0);
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
    cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0);
    CHECK(10 * major + minor == capability);
    cuda_emulator::settings().capability = 90;
    return bytes >> 10;
  };
  // CUDA C++ Programming Guide, "Technical Specifications per Compute Capability".
  CHECK(most(75) == 64);
  CHECK(most(80) == 163);
  CHECK(most(86) == 99);
  CHECK(most(89) == 99);
  CHECK(most(90) == 227);
}

TEST_CASE("large shared memory must be asked for") {
  const auto start = [] {
    return cuda_emulator::launch(reverse_block, 1, 1, 64 << 10, nullptr, "test", 1, std::tuple<const int*, int*>());
  };
  CHECK(start() == cudaErrorInvalidValue);
  CHECK(cudaGetLastError() == cudaErrorInvalidValue);
  CHECK(cudaFuncSetAttribute(write_indices, cudaFuncAttributeMaxDynamicSharedMemorySize, 64 << 10) == cudaSuccess);
  CHECK(start() == cudaErrorInvalidValue);
  CHECK(cudaFuncSetAttribute(reverse_block, cudaFuncAttributeMaxDynamicSharedMemorySize, 228 << 10) ==
        cudaErrorInvalidValue);
  cudaGetLastError();
}

TEST_CASE("checked launches leave what one run leaves") {
  std::vector<int> input(256);
  std::iota(input.begin(), input.end(), 0);
  const DeviceArray<int> from(input), to(input.size()), changed(std::vector<int>(256, 10));
  cuda_emulator::settings().check_launches = true;
  launch(reverse_block, Grid(1), 256, 256 * sizeof(int), nullptr, from.data(), to.data());
  launch(write_indices, Grid(1), 256, 0, nullptr, changed.data());
  const std::vector<int> reversed = to.values(), added = changed.values();
  cuda_emulator::settings().check_launches = false;
  CHECK(reversed == std::vector<int>(input.rbegin(), input.rend()));
  for (int i = 0; i < 256; ++i) CHECK(added[static_cast<std::size_t>(i)] == 10 + i);
}

}  // namespace deft::testing
