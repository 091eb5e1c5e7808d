#include "deft/kernels/runtime/instruction_set.h"

#include <cstdlib>

#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

constexpr InstructionSet all_sets[] = {InstructionSet::avx512, InstructionSet::avx2, InstructionSet::baseline};

#if defined(DEFT_HAVE_AVX2) || defined(DEFT_HAVE_AVX512)
// cmake/DeftInstructionSets.cmake lets the compiler use these, and with AVX-512 more of them.
bool runs_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}
#endif

InstructionSet choose() {
  const char* wanted = std::getenv("DEFT_ISA");
  std::string supported;
  for (const InstructionSet set : all_sets) {
    if (!is_supported(set)) continue;
    if (wanted == nullptr || to_string(set) == wanted) return set;
    supported += (supported.empty() ? "" : set == InstructionSet::baseline ? " or " : ", ") + to_string(set);
  }
  throw Error("DEFT_ISA is '" + std::string(wanted) +
              "', expected what this processor and this build have: " + supported);
}

}  // namespace

bool is_supported(InstructionSet set) {
  switch (set) {
#ifdef DEFT_HAVE_AVX512
    case InstructionSet::avx512:
      return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
#endif
#ifdef DEFT_HAVE_AVX2
    case InstructionSet::avx2:
      return runs_avx2();
#endif
    default:
      return set == InstructionSet::baseline;
  }
}

InstructionSet instruction_set() {
  static const InstructionSet set = choose();
  return set;
}

std::string to_string(InstructionSet set) {
  return set == InstructionSet::avx512 ? "avx512" : set == InstructionSet::avx2 ? "avx2" : "baseline";
}

}  // namespace deft
