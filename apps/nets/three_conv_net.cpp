#include "deft/apps/nets/three_conv_net.h"

#include "deft/core/shape_ops.h"
#include "deft/layers/activation.h"
#include "deft/layers/init.h"
#include "deft/layers/max_pool2d.h"

namespace deft::apps {

const std::vector<std::string>& ThreeConvNet::models() {
  static const std::vector<std::string> names = {"regular", "deform-v1"};
  return names;
}

ThreeConvNet::ThreeConvNet(const std::string& model)
    : ExperimentNet(model, models()),
      conv1(add("conv1", Conv2d(1, 32, {.kernel_size = 3, .padding = 1}))),
      conv2(add_conv("conv2", 32, 32, {.kernel_size = 3, .padding = 1})),
      conv3(add_conv("conv3", 32, 32, {.kernel_size = 3, .padding = 1})),
      fc(add("fc", Linear(14 * 14 * 32, 10))) {
  const auto lecun = [](Tensor weight) { init::lecun_normal_(weight); };
  initialise(lecun, lecun);
}

Tensor ThreeConvNet::forward(const Tensor& images) {
  Tensor h = relu((*conv2)(relu(conv1(images))));
  h = max_pool2d(h, {.kernel_size = 4, .stride = 2, .padding = 1});
  h = relu((*conv3)(h));
  return fc(flatten(h, 1));
}

}  // namespace deft::apps
