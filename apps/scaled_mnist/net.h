// The nets of experiment E0: five 3×3 convolutions, of which the last two are deformable in two of the three.
#pragma once

#include <string>
#include <vector>

#include "deft/data/transform.h"
#include "deft/layers/conv2d.h"
#include "deft/layers/linear.h"
#include "deft/layers/module.h"

namespace deft::apps {

/// "regular", "deform-v1" (offsets alone) and "deform-v2" (offsets and masks).
const std::vector<std::string>& net_names();

/// MNIST's pixels as these nets take them: (x/255 − 0.1307)/0.3081.
Transform mnist_normalisation();

/// Images [N, 28, 28, 1] to logits [N, 10].
struct ScaledMnistNet : Module {
  /// Throws Error for a model that is none of net_names().
  explicit ScaledMnistNet(const std::string& model);
  Tensor forward(const Tensor& images) override;

  Conv2d conv1, conv2, conv3;
  ModuleHolder conv4, conv5;
  Linear fc;

 private:
  ModuleHolder add_last_conv(const std::string& name, const std::string& model);
};

}  // namespace deft::apps
