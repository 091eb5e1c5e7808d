// Benchmarks. Every one starts with the machine's ceilings, measured in the same run.
#include "deft/apps/bench/data.h"
#include "deft/apps/bench/kernels.h"
#include "deft/apps/bench/memory.h"
#include "deft/apps/bench/ops.h"
#include "deft/apps/bench/step.h"

using namespace deft::bench;

int main(int argc, char** argv) {
  return deft::support::run_program(
      {.name = "bench",
       .summary = "Measures what deft costs on this machine.",
       .commands = {ops_command(), step_command(), data_command(), memory_command(), kernels_command()},
       .default_command = "step"},
      argc, argv);
}
