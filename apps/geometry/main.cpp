// Experiment E3: rotated and translated images, ordinary and deformable convolutions.
#include "deft/apps/geometry/commands.h"

int main(int argc, char** argv) {
  using namespace deft::apps::geometry;
  return deft::support::run_program(
      {.name = "geometry",
       .summary = "Trains nets with ordinary or deformable convolutions on rotated and translated images.",
       .commands = {run_command(), select_command(), eval_command(), report_command()}},
      argc, argv);
}
