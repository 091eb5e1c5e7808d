#include "deft/apps/experiments/detail/make_net.h"
#include "deft/apps/experiments/experiment.h"
#include "deft/apps/nets/four_conv_net.h"

namespace deft::apps {

const Experiment& e4() {
  static const std::string change = ", shifted by up to a pixel and zoomed out by up to 2.5 along each axis";
  // The shift counts in pixels of the image before it shrinks.
  static const Transform zoomed_out{.steps = {random_affine({.shift_y = {-1, 1}, .shift_x = {-1, 1}}),
                                              random_affine({.zoom_out_y = {1, 2.5}, .zoom_out_x = {1, 2.5}})},
                                    .border = Border::replicate};
  static const Experiment experiment{
      .name = "E4",
      .program = "scaled_mnist",
      .data = "mnist",
      .models = FourConvNet::models(),
      .make_net = make_net<FourConvNet>,
      .restore_net = [](const std::string& model, const NamedTensors& state) -> RestoredNet {
        return {restore_net<FourConvNet>(model, state), "mnist"};
      },
      .training = {.epochs = 10, .batch_size = 64, .images = 60000, .lr = 1e-3, .tests = {{"plain", {}}}},
      .tuning = Training{.epochs = 10,
                         .batch_size = 64,
                         .images = 60000,
                         .lr = 1e-4,
                         .transform = zoomed_out,
                         .change = change,
                         .tests = {{"scaled", zoomed_out, change}}},
      .shown = {{0, 0}, {1, 0}, {1, 1}}};
  return experiment;
}

}  // namespace deft::apps
