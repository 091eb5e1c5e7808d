// The nets of experiment E4: four 3×3 convolutions with batch normalisation, all of them deformable in one of the two.
#pragma once

#include <string>
#include <vector>

#include "deft/apps/nets/experiment_net.h"
#include "deft/layers/batch_norm2d.h"
#include "deft/layers/linear.h"

namespace deft::apps {

/// Images [N, 28, 28, 1] with pixels from 0 to 1 to logits [N, 10].
struct FourConvNet : ExperimentNet {
  /// Convolutions of stride 2 pad below and at the right alone, TensorFlow's "SAME". Weights are truncated normal with
  /// standard deviation 0.1, those of `fc` Glorot uniform, biases and offsets zero. Throws Error for another model.
  explicit FourConvNet(const std::string& model);
  Tensor forward(const Tensor& images) override;

  /// Takes over the weights and statistics of a regular net, for a deformable one; its offsets stay as they are.
  /// Throws Error for what is not a regular net's.
  void load_regular(const NamedTensors& state);
  /// Freezes all but what predicts offsets, and returns the parameters of that.
  std::vector<Tensor> freeze_all_but_offsets();

  /// "regular" and "deform-v1".
  static const std::vector<std::string>& models();

  ModuleHolder conv11;
  BatchNorm2d bn11;
  ModuleHolder conv12;
  BatchNorm2d bn12;
  ModuleHolder conv21;
  BatchNorm2d bn21;
  ModuleHolder conv22;
  BatchNorm2d bn22;
  Linear fc;
};

}  // namespace deft::apps
