#include "deft/apps/scaled_mnist/net.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deft/kernels/error.h"
#include "deft/layers/activation.h"
#include "deft/layers/adaptive_avg_pool2d.h"
#include "deft/layers/deform_conv2d.h"
#include "deft/layers/max_pool2d.h"

namespace deft::apps {

const std::vector<std::string>& net_names() {
  static const std::vector<std::string> names = {"regular", "deform-v1", "deform-v2"};
  return names;
}

Transform mnist_normalisation() { return {.mean = {0.1307}, .std = {0.3081}}; }

ScaledMnistNet::ScaledMnistNet(const std::string& model)
    : conv1(add("conv1", Conv2d(1, 32, {.kernel_size = 3, .padding = 1}))),
      conv2(add("conv2", Conv2d(32, 32, {.kernel_size = 3, .padding = 1}))),
      conv3(add("conv3", Conv2d(32, 32, {.kernel_size = 3, .padding = 1}))),
      conv4(add_last_conv("conv4", model)),
      conv5(add_last_conv("conv5", model)),
      fc(add("fc", Linear(32, 10))) {}

ModuleHolder ScaledMnistNet::add_last_conv(const std::string& name, const std::string& model) {
  const auto& names = net_names();
  if (std::find(names.begin(), names.end(), model) == names.end()) {
    throw Error(fmt::format("model is '{}', expected {}", model, fmt::join(names, ", ")));
  }
  if (model == "regular") return ModuleHolder(add(name, Conv2d(32, 32, {.kernel_size = 3, .padding = 1})));
  return ModuleHolder(add(name, DeformConv2d(32, 32,
                                             {.kernel_size = 3,
                                              .padding = 1,
                                              .modulated = model == "deform-v2",
                                              .mask_scale = 2,
                                              .offset_clamp_fraction = 0.25})));
}

Tensor ScaledMnistNet::forward(const Tensor& images) {
  Tensor h = max_pool2d(relu(conv1(images)), {.kernel_size = 2});
  h = max_pool2d(relu(conv2(h)), {.kernel_size = 2});
  h = relu(conv3(h));
  h = relu((*conv4)(h));
  h = relu((*conv5)(h));
  return fc(global_avg_pool2d(h));
}

}  // namespace deft::apps
