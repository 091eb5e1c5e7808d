#include "deft/kernels/runtime/instruction_set.h"

#include <cstdlib>

#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

constexpr InstructionSet all_sets[] = {InstructionSet::avx512, InstructionSet::avx2, InstructionSet::baseline};

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

// What cmake/DeftInstructionSets.cmake lets the compiler use.
bool is_supported(InstructionSet set) {
  if (set == InstructionSet::baseline) return true;
#ifdef __x86_64__
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
  if (set == InstructionSet::avx2) return avx2;
  return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

InstructionSet instruction_set() {
  static const InstructionSet set = choose();
  return set;
}

std::string to_string(InstructionSet set) {
  return set == InstructionSet::avx512 ? "avx512" : set == InstructionSet::avx2 ? "avx2" : "baseline";
}

}  // namespace deft
