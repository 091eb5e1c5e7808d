#include "deft/apps/nets/cifar_net.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deft/kernels/runtime/error.h"
#include "deft/layers/activation.h"
#include "deft/layers/adaptive_avg_pool2d.h"

namespace deft::apps {

namespace {

const DeformConv2dOptions convolution{
    .kernel_size = 3, .padding = 1, .bias = false, .offset_bias = false, .zero_offset_init = false};

const std::vector<std::int64_t>& two(const std::vector<std::int64_t>& channels) {
  if (channels.size() == 2 && channels[0] >= 1 && channels[1] >= 1) return channels;
  throw Error(fmt::format("conv_ch is [{}], expected two numbers of at least 1", fmt::join(channels, ", ")));
}

}  // namespace

const std::vector<std::string>& CifarNet::models() {
  static const std::vector<std::string> names = {"regular", "deform-v1", "deform-v2"};
  return names;
}

CifarNet::CifarNet(const std::string& model, const std::vector<std::int64_t>& conv_channels)
    : ExperimentNet(model, models()),
      conv1(add_conv("conv1", 3, two(conv_channels)[0], convolution)),
      bn1(add("bn1", BatchNorm2d(conv_channels[0]))),
      conv2(add_conv("conv2", conv_channels[0], conv_channels[1], convolution)),
      bn2(add("bn2", BatchNorm2d(conv_channels[1]))),
      fc(add("fc", Linear(conv_channels[1], 10))) {}

std::vector<std::int64_t> CifarNet::channels_of(const NamedTensors& state) {
  std::vector<std::int64_t> channels;
  for (const char* convolution : {"conv1.weight", "conv2.weight"}) {
    const auto found =
        std::find_if(state.begin(), state.end(), [&](const auto& one) { return one.first == convolution; });
    if (found == state.end() || found->second.dim() != 4) {
      throw Error(fmt::format("there is no {}, as a net of E2 has", convolution));
    }
    channels.push_back(found->second.size(0));
  }
  return channels;
}

CifarNet CifarNet::from_state(const std::string& model, const NamedTensors& state) {
  CifarNet net(model, channels_of(state));
  net.load_state_dict(state);
  return net;
}

Tensor CifarNet::forward(const Tensor& images) {
  const Tensor h = relu(bn1((*conv1)(images)));
  return fc(global_avg_pool2d(bn2((*conv2)(h))));
}

}  // namespace deft::apps
