#include <fmt/format.h>

#include "deft/apps/experiments/detail/make_net.h"
#include "deft/apps/experiments/experiment.h"
#include "deft/apps/nets/five_conv_net.h"

namespace deft::apps {

namespace {

std::vector<TestSet> eleven_scales() {
  std::vector<TestSet> sets;
  for (int tenths = 5; tenths <= 15; ++tenths) {
    Transform transform = mnist_normalisation();
    transform.steps = {random_affine({.scale = tenths / 10.0})};
    transform.interpolation = Interpolation::nearest;
    transform.fill = 0;
    sets.push_back({fmt::format("{:.1f}", tenths / 10.0), transform});
  }
  return sets;
}

}  // namespace

const Experiment& e0() {
  static const Experiment experiment{
      .name = "E0",
      .program = "scaled_mnist",
      .data = "mnist",
      .models = FiveConvNet::models(),
      .make_net = make_net<FiveConvNet>,
      .restore_net = [](const std::string& model, const NamedTensors& state) -> RestoredNet {
        return {restore_net<FiveConvNet>(model, state), "mnist"};
      },
      .pixels = mnist_normalisation(),
      .training = {.epochs = 14,
                   .batch_size = 64,
                   .images = 60000,
                   .lr = 1e-3,
                   .gamma = 0.7,
                   .transform = mnist_normalisation(),
                   .tests = eleven_scales()},
      .reports_best_epoch = true,
      .test_kind = "scale",
      .test_text = "Around a shrunk image the net sees 0, which after the normalisation is a dark grey.",
      .shown = {{0, 0}, {5, 0}, {10, 0}}};  // the scales 0.5, 1.0 and 1.5
  return experiment;
}

}  // namespace deft::apps
