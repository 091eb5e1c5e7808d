// The nets of experiment E1: three 3×3 convolutions, of which the last two are deformable in one of the two.
#pragma once

#include <string>
#include <vector>

#include "deft/apps/nets/experiment_net.h"
#include "deft/layers/conv2d.h"
#include "deft/layers/linear.h"

namespace deft::apps {

/// Images [N, 28, 28, 1] with pixels from 0 to 1 to logits [N, 10].
struct ThreeConvNet : ExperimentNet {
  /// Initialised as Chainer does: LeCun normal weights, biases of zero; offsets start at zero. Throws Error for another
  /// model.
  explicit ThreeConvNet(const std::string& model);
  Tensor forward(const Tensor& images) override;

  /// "regular" and "deform-v1".
  static const std::vector<std::string>& models();

  Conv2d conv1;
  ModuleHolder conv2, conv3;
  Linear fc;
};

}  // namespace deft::apps
