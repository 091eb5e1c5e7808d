#include "deft/apps/nets/geometry_net.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deft/kernels/runtime/error.h"
#include "deft/layers/activation.h"
#include "deft/layers/adaptive_avg_pool2d.h"
#include "deft/layers/conv2d.h"
#include "deft/layers/max_pool2d.h"

namespace deft::apps {

namespace {

constexpr std::size_t pooled = 2;  // convolutions before a max-pooling

}  // namespace

const std::vector<std::string>& GeometryNet::models() {
  static const std::vector<std::string> names = {"regular", "deform-v1"};
  return names;
}

const std::vector<std::int64_t>& GeometryNet::default_channels() {
  static const std::vector<std::int64_t> channels = {32, 64, 64};
  return channels;
}

const std::vector<std::int64_t>& GeometryNet::checked(const std::vector<std::int64_t>& channels) {
  const bool positive = std::all_of(channels.begin(), channels.end(), [](std::int64_t count) { return count >= 1; });
  if (channels.size() >= pooled && positive) return channels;
  throw Error(fmt::format("channels is [{}], expected two numbers or more, of at least 1", fmt::join(channels, ", ")));
}

GeometryNet::GeometryNet(const std::string& model, std::int64_t in_channels, const std::vector<std::int64_t>& channels)
    : ExperimentNet(model, models()), fc(checked(channels).back(), 10), in_channels_(in_channels) {
  for (const std::int64_t out_channels : channels) {
    const std::string number = std::to_string(convs.size() + 1);
    if (convs.empty()) {
      const Conv2dOptions options{.kernel_size = 3, .padding = 1, .bias = false};
      convs.emplace_back(add("conv" + number, Conv2d(in_channels, out_channels, options)));
    } else {
      const DeformConv2dOptions options{.kernel_size = 3, .padding = 1, .bias = false};
      convs.push_back(add_conv("conv" + number, in_channels, out_channels, options));
    }
    bns.push_back(add("bn" + number, BatchNorm2d(out_channels)));
    in_channels = out_channels;
  }
  add("fc", fc);
}

GeometryNet GeometryNet::from_state(const std::string& model, const NamedTensors& state) {
  std::int64_t in_channels = 0;
  std::vector<std::int64_t> channels;
  const auto find_weight = [&](std::size_t number) {
    const std::string name = fmt::format("conv{}.weight", number);
    return std::find_if(state.begin(), state.end(),
                        [&](const auto& one) { return one.first == name && one.second.dim() == 4; });
  };
  for (auto found = find_weight(1); found != state.end(); found = find_weight(channels.size() + 1)) {
    if (channels.empty()) in_channels = found->second.size(3);
    channels.push_back(found->second.size(0));
  }
  if (channels.empty()) throw Error("there is no conv1.weight, as a net of E3 has");
  GeometryNet net(model, in_channels, channels);
  net.load_state_dict(state);
  return net;
}

Tensor GeometryNet::forward(const Tensor& images) {
  Tensor h = images;
  for (std::size_t i = 0; i < convs.size(); ++i) {
    h = relu(bns[i]((*convs[i])(h)));
    if (i < pooled) h = max_pool2d(h, {.kernel_size = 2});
  }
  return fc(global_avg_pool2d(h));
}

}  // namespace deft::apps
