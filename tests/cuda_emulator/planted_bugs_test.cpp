// Runs planted_bugs.cpp: each mistake ends the program with a message that names it, and nothing happens without it.
#include <string>

#include "address_sanitizer.h"
#include "catch.h"
#include "shell.h"

using Catch::Matchers::Contains;

namespace {

ProgramResult run(const std::string& environment, const std::string& bug, const std::string& which) {
  return run_shell("DEFT_ALLOCATOR=system " + environment + " " DEFT_PLANTED_BUGS " '" + bug + "' " + which);
}

void check_caught(const std::string& bug, const std::string& message, const std::string& environment = "") {
  INFO(bug);
  const ProgramResult corrected = run(environment, bug, "corrected");
  CHECK(corrected.output == "ended\n");
  CHECK(corrected.status == 0);
  const ProgramResult planted = run(environment, bug, "planted");
  CHECK_THAT(planted.output, Contains(message) && !Contains("ended"));
  CHECK(planted.status != 0);
}

const std::string checking = "CUDA_EMULATOR_CHECK_LAUNCHES=1";

}  // namespace

TEST_CASE("accesses beyond the end are caught") {
  if (cuda_emulator::address_sanitizer) {
    check_caught("global write",
                 "cuda emulator: found in kernel deft::planted::write_elements(float*, int) launched at");
    check_caught("global read", "AddressSanitizer: use-after-poison");
    check_caught("shared access", "AddressSanitizer: heap-buffer-overflow");
    check_caught("dynamic shared access", "AddressSanitizer: heap-buffer-overflow");
    check_caught("freed tensor", "AddressSanitizer: use-after-poison");
  } else {
    check_caught("global write", "write_elements(float*, int) launched at planted_bugs.cpp");
  }
  check_caught("copy beyond end", "cudaMemcpyAsync: 260 bytes at offset 0 of an allocation of 256");
  check_caught("product beyond end", "cublasSgemm: A is 260 bytes at offset 0 of an allocation of 256");
}

TEST_CASE("results that depend on poison or order are caught") {
  // With the launches unchecked nothing is seen: it is the check that finds them.
  CHECK(run("", "uninitialised shared", "planted").status == 0);
  CHECK(run("", "missing barrier", "planted").status == 0);
  check_caught("uninitialised shared", "uninitialised_shared<false>(float*) launched at planted_bugs.cpp", checking);
  check_caught("uninitialised tensor", "depend on memory to which nothing was written", checking);
  check_caught("missing barrier", "missing_barrier<false>(float const*, float*) launched at", checking);
  check_caught("missing second barrier", "depend on the order of its threads", checking);
  check_caught("order of blocks", "depend on the order of its threads", checking);
}

TEST_CASE("kernels whose sums depend on the order are excepted by name") {
  CHECK(run(checking + " CUDA_EMULATOR_ORDER_DEPENDENT=other,order_of_blocks", "order of blocks", "planted").status ==
        0);
  CHECK(run(checking + " CUDA_EMULATOR_ORDER_DEPENDENT=other", "order of blocks", "planted").status != 0);
}

TEST_CASE("threads that miss a barrier or a warp function are named") {
  check_caught("divergent barrier",
               "cuda emulator: divergent barrier in kernel void deft::planted::divergent_barrier<false>(float*) "
               "launched at planted_bugs.cpp:");
  check_caught("divergent barrier", "block (0, 0, 0): thread (0, 0, 0) waits for the block at planted_bugs.cpp:");
  check_caught("divergent barrier", ", thread (32, 0, 0) has exited");
  check_caught("two barriers", "thread (32, 0, 0) waits for the block at planted_bugs.cpp:");
  check_caught("exited lane", ", thread (5, 0, 0) has exited");
  check_caught("lane at barrier", ", thread (32, 0, 0) waits for other lanes at planted_bugs.cpp:");
}

TEST_CASE("misuse of host and device memory is caught") {
  check_caught("host reads device",
               "host code accessed the memory of device 0 at offset 12 of an allocation of 256 bytes");
  check_caught("host pointer", "is given a pointer to memory that is neither its device's nor pinned");
  check_caught("missing synchronisation", "wrong result: -nan, expected 1");
  check_caught("freed twice", "cudaFree: the memory was freed before");
  check_caught("foreign pointer", "cudaFree: the pointer does not come from cudaMalloc");
}

TEST_CASE("destroyed streams and events are caught") {
  check_caught("destroyed stream", "kernel launch: the stream was destroyed or never made");
  check_caught("destroyed event", "cudaEventRecord: the event was destroyed or never made");
}

TEST_CASE("limits of a block and a thread are kept") {
  check_caught("too much shared", "declares 50176 bytes of shared memory");
  check_caught("stack overflow", "stack overflow in kernel deft::planted::overflow_stack(float*, int)");
}
