#include "deft/apps/nets/four_conv_net.h"

#include "deft/layers/activation.h"
#include "deft/layers/adaptive_avg_pool2d.h"
#include "deft/layers/init.h"

namespace deft::apps {

namespace {

const DeformConv2dOptions same{.kernel_size = 3, .padding = 1};
const DeformConv2dOptions half{.kernel_size = 3, .stride = 2, .padding = {0, 1, 0, 1}};
const BatchNorm2dOptions statistics{.eps = 1e-3, .momentum = 0.01};

bool predicts_offsets(const std::string& name) { return name.find(".offset_conv.") != std::string::npos; }

}  // namespace

const std::vector<std::string>& FourConvNet::models() {
  static const std::vector<std::string> names = {"regular", "deform-v1"};
  return names;
}

FourConvNet::FourConvNet(const std::string& model)
    : ExperimentNet(model, models()),
      conv11(add_conv("conv11", 1, 32, same)),
      bn11(add("bn11", BatchNorm2d(32, statistics))),
      conv12(add_conv("conv12", 32, 64, half)),
      bn12(add("bn12", BatchNorm2d(64, statistics))),
      conv21(add_conv("conv21", 64, 128, same)),
      bn21(add("bn21", BatchNorm2d(128, statistics))),
      conv22(add_conv("conv22", 128, 128, half)),
      bn22(add("bn22", BatchNorm2d(128, statistics))),
      fc(add("fc", Linear(128, 10))) {
  initialise([](Tensor weight) { init::truncated_normal_(weight, 0, 0.1); },
             [](Tensor weight) { init::xavier_uniform_(weight); });
}

Tensor FourConvNet::forward(const Tensor& images) {
  Tensor h = relu(bn11((*conv11)(images)));
  h = relu(bn12((*conv12)(h)));
  h = relu(bn21((*conv21)(h)));
  h = relu(bn22((*conv22)(h)));
  return fc(global_avg_pool2d(h));
}

void FourConvNet::load_regular(const NamedTensors& state) {
  NamedTensors whole = state;
  for (const auto& [name, tensor] : state_dict()) {
    if (predicts_offsets(name)) whole.emplace_back(name, tensor);
  }
  load_state_dict(whole);
}

std::vector<Tensor> FourConvNet::freeze_all_but_offsets() {
  freeze();
  std::vector<Tensor> trained;
  for (auto& [name, parameter] : named_parameters()) {
    if (predicts_offsets(name)) trained.push_back(parameter.set_requires_grad());
  }
  return trained;
}

}  // namespace deft::apps
