// The nets of experiment E3: a few 3×3 convolutions, of which all but the first are deformable in one of the two.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deft/apps/nets/experiment_net.h"
#include "deft/layers/batch_norm2d.h"
#include "deft/layers/linear.h"

namespace deft::apps {

/// Images [N, H, W, C] with pixels from 0 to 1, such as MNIST's or CIFAR-10's, to logits [N, 10]. Each convolution is
/// followed by batch normalisation and ReLU, the first two then by max-pooling that halves the sides; the mean of what
/// the last one makes goes to a linear layer.
struct GeometryNet : ExperimentNet {
  /// `in_channels` is C, `channels` are the outputs of the convolutions. Offsets start at zero. Throws Error for another
  /// model and unless there are two channels or more, of at least 1.
  explicit GeometryNet(const std::string& model, std::int64_t in_channels = 1,
                       const std::vector<std::int64_t>& channels = default_channels());
  /// `channels`. Throws Error for those that the constructor refuses.
  static const std::vector<std::int64_t>& checked(const std::vector<std::int64_t>& channels);
  /// The net that this state_dict() is of, with its values. Throws Error for another model and for a state that is not
  /// such a net's.
  static GeometryNet from_state(const std::string& model, const NamedTensors& state);
  Tensor forward(const Tensor& images) override;

  std::int64_t in_channels() const { return in_channels_; }

  /// "regular" and "deform-v1".
  static const std::vector<std::string>& models();
  /// Those that the regular net was chosen with (apps/configs/e3.json).
  static const std::vector<std::int64_t>& default_channels();

  std::vector<ModuleHolder> convs;  ///< "conv1", "conv2", …
  std::vector<BatchNorm2d> bns;     ///< "bn1", "bn2", …
  Linear fc;

 private:
  std::int64_t in_channels_;
};

}  // namespace deft::apps
