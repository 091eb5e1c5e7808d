// The experiments on MNIST: E0, digits at scales that training has not shown; E1, digits of all sizes in training
// too; E4, a net that learns to see small digits by its offsets alone.
#include "deft/apps/scaled_mnist/commands.h"

int main(int argc, char** argv) {
  using namespace deft::apps;
  return deft::support::run_program(
      {.name = "scaled_mnist",
       .summary = "Trains nets with ordinary or deformable convolutions on MNIST and tests them on scaled digits.",
       .commands = {train_command(), finetune_command(), eval_command(), predict_command(), report_command(),
                    compare_command()}},
      argc, argv);
}
