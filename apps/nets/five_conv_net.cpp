#include "deft/apps/nets/five_conv_net.h"

#include "deft/layers/activation.h"
#include "deft/layers/adaptive_avg_pool2d.h"
#include "deft/layers/max_pool2d.h"

namespace deft::apps {

namespace {

const Conv2dOptions ordinary{.kernel_size = 3, .padding = 1};
const DeformConv2dOptions deformable{.kernel_size = 3, .padding = 1, .mask_scale = 2, .offset_clamp_fraction = 0.25};

}  // namespace

Transform mnist_normalisation() { return {.mean = {0.1307}, .std = {0.3081}}; }

const std::vector<std::string>& FiveConvNet::models() {
  static const std::vector<std::string> names = {"regular", "deform-v1", "deform-v2"};
  return names;
}

FiveConvNet::FiveConvNet(const std::string& model)
    : ExperimentNet(model, models()),
      conv1(add("conv1", Conv2d(1, 32, ordinary))),
      conv2(add("conv2", Conv2d(32, 32, ordinary))),
      conv3(add("conv3", Conv2d(32, 32, ordinary))),
      conv4(add_conv("conv4", 32, 32, deformable)),
      conv5(add_conv("conv5", 32, 32, deformable)),
      fc(add("fc", Linear(32, 10))) {}

Tensor FiveConvNet::forward(const Tensor& images) {
  Tensor h = max_pool2d(relu(conv1(images)), {.kernel_size = 2});
  h = max_pool2d(relu(conv2(h)), {.kernel_size = 2});
  h = relu(conv3(h));
  h = relu((*conv4)(h));
  h = relu((*conv5)(h));
  return fc(global_avg_pool2d(h));
}

}  // namespace deft::apps
