// Benchmarks. Every one starts with the machine's ceilings, measured in the same run.
#include "deft/apps/bench/kernels.h"
#include "deft/apps/bench/ops.h"
#include "deft/apps/bench/step.h"

int main(int argc, char** argv) {
  return deft::support::run_program(
      {.name = "bench",
       .summary = "Measures what deft costs on this machine.",
       .commands = {deft::bench::ops_command(), deft::bench::step_command(), deft::bench::kernels_command()},
       .default_command = "step"},
      argc, argv);
}
