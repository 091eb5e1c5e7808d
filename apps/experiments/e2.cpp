#include "deft/apps/experiments/detail/make_net.h"
#include "deft/apps/experiments/experiment.h"
#include "deft/apps/nets/cifar_net.h"

namespace deft::apps {

const Experiment& e2() {
  static const Experiment experiment{
      .name = "E2",
      .program = "cifar10",
      .data = "cifar10",
      .models = CifarNet::models(),
      .make_net = make_net<CifarNet>,
      .restore_net = [](const std::string& model, const NamedTensors& state) -> RestoredNet {
        return {ModuleHolder(CifarNet::from_state(model, state)), "cifar10"};
      },
      .training = {.epochs = 30,
                   .batch_size = 32,
                   .images = 45000,  // a tenth is held out
                   .lr = 1e-3,
                   .weight_decay = 0.01,
                   .tests = {{"plain", {}}}}};
  return experiment;
}

}  // namespace deft::apps
