// Experiment E2: CIFAR-10 with ordinary and with deformable convolutions.
#include "deft/apps/cifar10/commands.h"

int main(int argc, char** argv) {
  using namespace deft::apps::cifar10;
  return deft::support::run_program(
      {.name = "cifar10",
       .summary = "Trains nets with ordinary or deformable convolutions on CIFAR-10 and tests them.",
       .commands = {train_command(), test_command(), report_command()}},
      argc, argv);
}
