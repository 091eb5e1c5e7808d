#include "deft/apps/experiments/detail/make_net.h"
#include "deft/apps/experiments/experiment.h"
#include "deft/apps/nets/three_conv_net.h"

namespace deft::apps {

const Experiment& e1() {
  static const std::string change = ", each on a random place of a black canvas up to three times as large";
  static const Transform expanded{.steps = {random_expand({1, 3})}};
  static const Experiment experiment{
      .name = "E1",
      .program = "scaled_mnist",
      .data = "mnist",
      .models = ThreeConvNet::models(),
      .make_net = make_net<ThreeConvNet>,
      .restore_net = [](const std::string& model, const NamedTensors& state) -> RestoredNet {
        return {restore_net<ThreeConvNet>(model, state), "mnist"};
      },
      .training = {.epochs = 20,
                   .batch_size = 100,
                   .images = 60000,
                   .lr = 1e-3,
                   .transform = expanded,
                   .change = change,
                   .tests = {{"expanded", expanded, change}}},
      .reports_best_epoch = true};
  return experiment;
}

}  // namespace deft::apps
