// The nets of experiment E2: two 3×3 convolutions, both ordinary, deformable or deformable with masks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deft/apps/nets/experiment_net.h"
#include "deft/layers/batch_norm2d.h"
#include "deft/layers/linear.h"

namespace deft::apps {

/// Images [N, 32, 32, 3] with pixels from 0 to 1 to logits [N, 10].
struct CifarNet : ExperimentNet {
  /// `conv_channels` are the output channels of the two convolutions. Nothing but `fc` has a bias; offsets and masks
  /// (sigmoid, at most 1) start like any convolution. Throws Error for another model and unless there are two
  /// channels of at least 1.
  explicit CifarNet(const std::string& model, const std::vector<std::int64_t>& conv_channels = {64, 128});
  /// The net that this state_dict() is of, with its values. Throws Error for another model and for a state that is not
  /// such a net's.
  static CifarNet from_state(const std::string& model, const NamedTensors& state);
  Tensor forward(const Tensor& images) override;

  /// The output channels of the two convolutions in a state_dict(). Throws Error for one that is not such a net's.
  static std::vector<std::int64_t> channels_of(const NamedTensors& state);

  /// "regular", "deform-v1" and "deform-v2": the model types 1, 2 and 3.
  static const std::vector<std::string>& models();

  ModuleHolder conv1;
  BatchNorm2d bn1;
  ModuleHolder conv2;
  BatchNorm2d bn2;
  Linear fc;
};

}  // namespace deft::apps
