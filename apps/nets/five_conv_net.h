// The nets of experiment E0: five 3×3 convolutions, of which the last two are deformable in two of the three.
#pragma once

#include <string>
#include <vector>

#include "deft/apps/nets/experiment_net.h"
#include "deft/data/transform.h"
#include "deft/layers/conv2d.h"
#include "deft/layers/linear.h"

namespace deft::apps {

/// MNIST's pixels as these nets take them: (x/255 − 0.1307)/0.3081.
Transform mnist_normalisation();

/// Images [N, 28, 28, 1] to logits [N, 10].
struct FiveConvNet : ExperimentNet {
  /// Offsets are clamped to a quarter of the image's side, masks go up to 2. Throws Error for another model.
  explicit FiveConvNet(const std::string& model);
  Tensor forward(const Tensor& images) override;

  /// "regular", "deform-v1" and "deform-v2".
  static const std::vector<std::string>& models();

  Conv2d conv1, conv2, conv3;
  ModuleHolder conv4, conv5;
  Linear fc;
};

}  // namespace deft::apps
