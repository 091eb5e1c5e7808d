// Runs the tests of a program on the device that DEFT_TEST_DEVICE names, with the instruction set that DEFT_ISA names.
#define CATCH_CONFIG_RUNNER
#include <cstdio>
#include <cstdlib>

#include "deft/core/default_device.h"
#include "deft/kernels/error.h"
#include "deft/kernels/instruction_set.h"

#include "catch.h"
#include "test_device.h"

namespace {

// What tells ctest that nothing was tested.
constexpr int skipped = 77;

bool names_missing_set() {
  const char* const wanted = std::getenv("DEFT_ISA");
  for (const auto set : {deft::InstructionSet::avx2, deft::InstructionSet::avx512}) {
    if (wanted != nullptr && wanted == to_string(set)) return !is_supported(set);
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const deft::Device device = deft::testing::test_device();
  if (device.is_cuda() && deft::cuda_device_count() == 0) {
    std::printf("SKIPPED: DEFT_TEST_DEVICE is %s, and this machine has no GPU\n", to_string(device).c_str());
    return 0;
  }
  try {
    deft::instruction_set();
  } catch (const deft::Error& error) {
    std::printf("%s\n", error.what());
    return names_missing_set() ? skipped : 1;
  }
  deft::set_default_device(device);
  return Catch::Session().run(argc, argv);
}
