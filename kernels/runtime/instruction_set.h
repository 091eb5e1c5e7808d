// The instruction set of the CPU kernels: each is compiled for several, and the best that the machine has is chosen
// once.
#pragma once

#include <string>

namespace deft {

/// What CPU kernels are compiled for: any processor of the architecture; AVX2 with FMA, BMI and BMI2; and beside these
/// AVX-512 F, BW, CD, DQ and VL.
enum class InstructionSet { baseline, avx2, avx512 };

/// The set that kernels run with: the best of this build that processor and operating system have, or the one that
/// DEFT_ISA in the environment names ("baseline", "avx2", "avx512"). Throws Error where it names another, or one that
/// is not there. Results are the same to the bit only for the same set.
InstructionSet instruction_set();

/// Whether this build has kernels for `set`, and processor and operating system run them.
bool is_supported(InstructionSet set);

/// "avx2".
std::string to_string(InstructionSet set);

}  // namespace deft
