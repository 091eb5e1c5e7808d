// What the kernels stand on: devices, types, random numbers, loops, memory.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#if defined(__unix__)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "deft/kernels/runtime/allocator.h"
#include "deft/kernels/runtime/device.h"
#include "deft/kernels/runtime/dispatch.h"
#include "deft/kernels/runtime/dtype.h"
#include "deft/kernels/runtime/instruction_set.h"
#include "deft/kernels/runtime/parallel_for.h"
#include "deft/kernels/runtime/philox.h"

#include "catch.h"

using namespace deft;
using Catch::Matchers::Contains;

TEST_CASE("devices are read from text") {
  CHECK(Device::parse("cpu") == Device::cpu());
  CHECK(Device::parse("cuda") == Device::cuda(0));
  CHECK(Device::parse("cuda:3") == Device::cuda(3));
  for (const char* bad : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "CPU"}) {
    CHECK_THROWS_WITH(Device::parse(bad), Contains("'" + std::string(bad) + "'"));
  }
}

TEST_CASE("kernels run with the instruction set that the environment names") {
  const char* wanted = std::getenv("DEFT_ISA");
  if (wanted != nullptr) {
    CHECK(to_string(instruction_set()) == wanted);
  } else {
    CHECK(is_supported(instruction_set()));
    for (const InstructionSet better : {InstructionSet::avx2, InstructionSet::avx512}) {
      if (better > instruction_set()) CHECK_FALSE(is_supported(better));
    }
  }
}

TEST_CASE("philox gives the vectors of the Random123 distribution") {
  // kat_vectors, philox4x32 with 10 rounds: counter and key all zeros, all ones, digits of pi.
  const PhiloxBlock zeros = philox(0, 0, 0);
  CHECK(zeros.word[0] == 0x6627e8d5u);
  CHECK(zeros.word[1] == 0xe169c58du);
  CHECK(zeros.word[2] == 0xbc57ac4cu);
  CHECK(zeros.word[3] == 0x9b00dbd8u);
  const PhiloxBlock ones = philox(~0ull, ~0ull, ~0ull);
  CHECK(ones.word[0] == 0x408f276du);
  CHECK(ones.word[1] == 0x41c83b0eu);
  CHECK(ones.word[2] == 0xa20bc7c6u);
  CHECK(ones.word[3] == 0x6d5451fdu);
  const PhiloxBlock pi = philox(0x299f31d0a4093822ull, 0x0370734413198a2eull, 0x85a308d3243f6a88ull);
  CHECK(pi.word[0] == 0xd16cfe09u);
  CHECK(pi.word[1] == 0x94fdccebu);
  CHECK(pi.word[2] == 0x5001e420u);
  CHECK(pi.word[3] == 0x24126ea1u);
}

TEST_CASE("a philox sequence stays in range and has the right moments") {
  PhiloxSequence sequence(1, 2);
  const int n = 100000;
  double uniform_sum = 0, normal_sum = 0, normal_squares = 0;
  std::set<std::uint64_t> faces;
  for (int i = 0; i < n; ++i) {
    const double u = sequence.uniform();
    REQUIRE((u >= 0 && u < 1));
    uniform_sum += u;
    const double z = sequence.normal();
    normal_sum += z;
    normal_squares += z * z;
    const std::uint64_t face = sequence.below(6);
    REQUIRE(face < 6);
    faces.insert(face);
  }
  CHECK(faces.size() == 6);
  CHECK(uniform_sum / n == Approx(0.5).margin(0.005));
  CHECK(normal_sum / n == Approx(0.0).margin(0.015));
  CHECK(normal_squares / n == Approx(1.0).margin(0.02));
}

TEST_CASE("parallel_for visits every index once, for any number of threads") {
  const int before = num_threads();
  for (int threads : {1, 2, 5}) {
    set_num_threads(threads);
    std::vector<std::atomic<int>> visits(1000);
    parallel_for(1000, [&](std::int64_t i) { ++visits[static_cast<std::size_t>(i)]; });
    for (const auto& count : visits) REQUIRE(count == 1);
    std::int64_t covered = 0;
    std::vector<std::int64_t> sizes(4);
    parallel_blocks(
        10, 3, [&](std::int64_t begin, std::int64_t end) { sizes[static_cast<std::size_t>(begin / 3)] = end - begin; });
    for (std::int64_t size : sizes) covered += size;
    CHECK(covered == 10);
  }
  set_num_threads(before);
  CHECK_THROWS_WITH(set_num_threads(0), Contains("threads is 0"));
}

TEST_CASE("the number of threads may change while another thread reads it") {
  const int before = num_threads();
  std::thread reader([&] {
    for (int i = 0; i < 1000; ++i) {
      const int threads = num_threads();
      if (threads != before && threads != before + 1) throw std::logic_error("a number that nobody set");
      const SerialScope serial;
      parallel_for(2, [](std::int64_t) {});
    }
  });
  for (int i = 0; i < 1000; ++i) set_num_threads(before + i % 2);
  reader.join();
  set_num_threads(before);
}

TEST_CASE("parallel_for hands exceptions to the caller") {
  CHECK_THROWS_WITH(parallel_for(100,
                                 [](std::int64_t i) {
                                   if (i == 57) throw std::runtime_error("at 57");
                                 }),
                    Contains("at 57"));
}

TEST_CASE("parallel_for works on several threads at once and after an exception") {
  const int before = num_threads();
  set_num_threads(3);
  std::atomic<int> visits{0}, caught{0};
  const auto use = [&] {
    for (int round = 0; round < 200; ++round) {
      try {
        parallel_for(20, [&](std::int64_t i) {
          ++visits;
          if (i == 19 && round % 50 == 0) throw std::runtime_error("at 19");
        });
      } catch (const std::runtime_error&) {
        ++caught;
      }
    }
  };
  std::thread other(use);
  use();
  other.join();
  set_num_threads(before);
  CHECK(visits == 2 * 200 * 20);
  CHECK(caught == 2 * 4);
}

TEST_CASE("loops inside parallel_for run serially on the thread that begins them") {
  const int before = num_threads();
  set_num_threads(3);
  std::atomic<int> strays{0};
  parallel_for(12, [&](std::int64_t) {
    const std::thread::id self = std::this_thread::get_id();
    parallel_for(12, [&](std::int64_t) { strays += std::this_thread::get_id() != self; });
  });
  set_num_threads(before);
  CHECK(strays == 0);
}

#if defined(__unix__)
TEST_CASE("a forked process has threads of its own and leaves") {
  const int before = num_threads();
  set_num_threads(3);
  parallel_for(3, [](std::int64_t) {});
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int> visits{0};
    parallel_for(100, [&](std::int64_t) { ++visits; });
    _exit(visits == 100 ? 0 : 1);
  }
  REQUIRE(child > 0);
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  set_num_threads(before);
}
#endif

TEST_CASE("the allocator aligns, counts and reuses") {
  const MemoryStats before = memory_stats(Device::cpu());
  void* pointer = allocate(Device::cpu(), 1000);
  CHECK(reinterpret_cast<std::uintptr_t>(pointer) % 64 == 0);
  CHECK(memory_stats(Device::cpu()).in_use == before.in_use + 1000);
  deallocate(Device::cpu(), pointer, 1000);
  CHECK(memory_stats(Device::cpu()).in_use == before.in_use);
  CHECK(allocate(Device::cpu(), 0) == nullptr);
  empty_cache(Device::cpu());
  CHECK(memory_stats(Device::cpu()).cached == 0);
}

TEST_CASE("requests beyond the address space are refused") {
  const MemoryStats before = memory_stats(Device::cpu());
  const std::size_t half = static_cast<std::size_t>(PTRDIFF_MAX) + 1;
  CHECK_THROWS_WITH(allocate(Device::cpu(), half), Contains("out of memory allocating 9223372036854775808 bytes"));
  CHECK_THROWS_WITH(allocate(Device::cpu(), SIZE_MAX), Contains("out of memory allocating 18446744073709551615 bytes"));
  CHECK(memory_stats(Device::cpu()).in_use == before.in_use);
  CHECK(memory_stats(Device::cpu()).peak_in_use == before.peak_in_use);
}

TEST_CASE("the cache is bounded by what was in use, and a repeated pattern of requests stays in it") {
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  empty_cache(Device::cpu());
  const auto use = [](std::size_t bytes) { deallocate(Device::cpu(), allocate(Device::cpu(), bytes), bytes); };
  // Never more than 40 MiB at once, of 32 sizes.
  for (std::size_t size = 40 * mebibyte; size >= 9 * mebibyte; size -= mebibyte) {
    use(size);
    const MemoryStats stats = memory_stats(Device::cpu());
    REQUIRE(stats.cached <= std::max<std::int64_t>(64 * mebibyte, 4 * stats.peak_in_use));
  }
  empty_cache(Device::cpu());
  const auto step = [&] {
    for (std::size_t size : {20 * mebibyte, 10 * mebibyte, 30 * mebibyte, std::size_t{1000}}) use(size);
  };
  step();
  const std::int64_t allocations = memory_stats(Device::cpu()).allocations;
  step();
  if (memory_stats(Device::cpu()).cached > 0) CHECK(memory_stats(Device::cpu()).allocations == allocations);
}

TEST_CASE("a build without CUDA says so") {
  if (!built_with_cuda) CHECK_THROWS_WITH(require_device(Device::cuda()), Contains("built without CUDA"));
}
