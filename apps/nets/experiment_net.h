// What the nets of the experiments have in common: convolutions that are ordinary in one of them and deformable in
// another.
#pragma once

#include <string>
#include <vector>

#include "deft/layers/deform_conv2d.h"
#include "deft/layers/module.h"

namespace deft::apps {

/// Base of the nets. A net comes as model "regular", as "deform-v1" (with offsets) and perhaps as "deform-v2" (with
/// offsets and masks).
class ExperimentNet : public Module {
 protected:
  /// Throws Error for a model that is none of `models`.
  ExperimentNet(const std::string& model, const std::vector<std::string>& models);

  /// A child of the kind that the model asks for; a Conv2d takes what it knows of the options.
  ModuleHolder add_conv(const std::string& name, std::int64_t in_channels, std::int64_t out_channels,
                        DeformConv2dOptions options);

  /// Draws the weights anew, but for those of offsets and masks, and sets biases to zero.
  void initialise(void (*convolutions)(Tensor weight), void (*linears)(Tensor weight));

 private:
  bool deformable_, modulated_;
};

}  // namespace deft::apps
