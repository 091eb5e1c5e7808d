// Pictures of what nets and experiments do: sampling points, receptive fields, augmented images.
#include "deft/apps/visualize/commands.h"

int main(int argc, char** argv) {
  using namespace deft::apps;
  return deft::support::run_program({.name = "visualize",
                                     .summary = "Draws where nets look, and what they are shown.",
                                     .commands = {offsets_command(), gradient_command(), dataset_command()}},
                                    argc, argv);
}
