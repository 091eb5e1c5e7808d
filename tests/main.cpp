// Runs the tests of a program on the device that DEFT_TEST_DEVICE names and with the instruction set that DEFT_ISA names.
#define CATCH_CONFIG_RUNNER
#include <cstdio>

#include "deft/core/default_device.h"
#include "deft/kernels/error.h"
#include "deft/kernels/instruction_set.h"

#include "catch.h"
#include "test_device.h"

int main(int argc, char** argv) {
  const deft::Device device = deft::testing::test_device();
  if (device.is_cuda() && deft::cuda_device_count() == 0) {
    std::printf("SKIPPED: DEFT_TEST_DEVICE is %s, and this machine has no GPU\n", to_string(device).c_str());
    return 0;
  }
  try {
    deft::instruction_set();
  } catch (const deft::Error& error) {
    std::printf("SKIPPED: %s\n", error.what());
    return 0;
  }
  deft::set_default_device(device);
  return Catch::Session().run(argc, argv);
}
