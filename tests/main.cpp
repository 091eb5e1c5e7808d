// Runs the tests of a program on the device that DEFT_TEST_DEVICE names, with the instruction set that DEFT_ISA names.
#define CATCH_CONFIG_RUNNER
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include <cstdio>
#include <cstdlib>

#include "deft/core/default_device.h"
#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/instruction_set.h"

#include "catch.h"
#include "test_device.h"

namespace {

// What tells ctest that nothing was tested.
constexpr int skipped = 77;

bool case_is_skipped = false;
bool all_are_skipped = true;

#ifdef DEFT_CATCH2_V3
using ListenerBase = Catch::EventListenerBase;
#else
using ListenerBase = Catch::TestEventListenerBase;
#endif

struct SkipListener : ListenerBase {
  using ListenerBase::ListenerBase;
  void testCaseStarting(const Catch::TestCaseInfo&) override { case_is_skipped = false; }
  void testCaseEnded(const Catch::TestCaseStats&) override { all_are_skipped = all_are_skipped && case_is_skipped; }
};
CATCH_REGISTER_LISTENER(SkipListener)

bool names_missing_set() {
  const char* const wanted = std::getenv("DEFT_ISA");
  for (const auto set : {deft::InstructionSet::avx2, deft::InstructionSet::avx512}) {
    if (wanted != nullptr && wanted == to_string(set)) return !is_supported(set);
  }
  return false;
}

}  // namespace

void deft::testing::skip(const std::string& why) {
  case_is_skipped = true;
  WARN("SKIPPED: " << why);
}

int main(int argc, char** argv) {
  const deft::Device device = deft::testing::test_device();
  if (device.is_cuda() && deft::cuda_device_count() == 0) {
    std::printf("SKIPPED: DEFT_TEST_DEVICE is %s, and this machine has no GPU\n", to_string(device).c_str());
    return skipped;
  }
  try {
    deft::instruction_set();
  } catch (const deft::Error& error) {
    std::printf("%s\n", error.what());
    return names_missing_set() ? skipped : 1;
  }
  deft::set_default_device(device);
  Catch::Session session;
  const int failed = session.run(argc, argv);
  if (failed != 0) return 1;  // and not their number, which may be any
  return case_is_skipped && all_are_skipped ? skipped : 0;
}
