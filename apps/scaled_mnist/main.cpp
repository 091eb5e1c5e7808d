// Experiment E0: MNIST's digits, recognised at scales that training has not shown.
#include "deft/apps/scaled_mnist/commands.h"

int main(int argc, char** argv) {
  using namespace deft::apps;
  return deft::support::run_program(
      {.name = "scaled_mnist",
       .summary = "Trains nets with ordinary or deformable convolutions on MNIST and tests them on scaled digits.",
       .commands = {train_command(), eval_command(), predict_command(), compare_command()}},
      argc, argv);
}
