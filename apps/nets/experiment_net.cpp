#include "deft/apps/nets/experiment_net.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deft/kernels/runtime/error.h"
#include "deft/layers/conv2d.h"
#include "deft/layers/init.h"

namespace deft::apps {

ExperimentNet::ExperimentNet(const std::string& model, const std::vector<std::string>& models)
    : deformable_(model != "regular"), modulated_(model == "deform-v2") {
  if (std::find(models.begin(), models.end(), model) == models.end()) {
    throw Error(fmt::format("model is '{}', expected {}", model, fmt::join(models, ", ")));
  }
}

ModuleHolder ExperimentNet::add_conv(const std::string& name, std::int64_t in_channels, std::int64_t out_channels,
                                     DeformConv2dOptions options) {
  if (deformable_) {
    options.modulated = modulated_;
    return ModuleHolder(add(name, DeformConv2d(in_channels, out_channels, options)));
  }
  return ModuleHolder(add(name, Conv2d(in_channels, out_channels,
                                       {.kernel_size = options.kernel_size,
                                        .stride = options.stride,
                                        .padding = options.padding,
                                        .dilation = options.dilation,
                                        .groups = options.groups,
                                        .bias = options.bias})));
}

void ExperimentNet::initialise(void (*convolutions)(Tensor), void (*linears)(Tensor)) {
  for (auto& [name, parameter] : named_parameters()) {
    if (name.find("offset_conv.") != std::string::npos || name.find("mask_conv.") != std::string::npos) continue;
    if (name.ends_with(".bias")) init::constant_(parameter, 0);
    if (parameter.dim() == 4) convolutions(parameter);
    if (parameter.dim() == 2) linears(parameter);
  }
}

}  // namespace deft::apps
