#include "deft/apps/nets/trained_net.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "deft/apps/nets/geometry_net.h"
#include "deft/apps/nets/shipped_nets.h"
#include "deft/apps/support/checkpoint.h"
#include "deft/apps/support/run_directory.h"
#include "deft/core/safetensors.h"
#include "deft/kernels/error.h"

namespace deft::apps {

namespace {

// E3's nets say by their weights how many channels they have. Those for CIFAR-10 are for its own program alone.
ModuleHolder geometry_net(const std::string& model, const NamedTensors& state) {
  const GeometryNet net = GeometryNet::from_state(model, state);
  if (net.in_channels() == 1) return ModuleHolder(net);
  throw Error(fmt::format("the net takes images of {} channels, expected 1, as MNIST has", net.in_channels()));
}

ModuleHolder net_of(const std::string& experiment, const std::string& model, const NamedTensors& state) {
  if (experiment == "E3") return geometry_net(model, state);
  ModuleHolder net = make_net(experiment, model);
  net->load_state_dict(state);
  return net;
}

}  // namespace

std::string resolve_weights(const std::string& weights) {
  if (weights.empty()) throw Error("--weights is empty, expected a " + std::string(weights_help));
  if (std::filesystem::is_directory(weights)) return support::RunDirectory(weights).best_weights();
  if (std::filesystem::exists(weights)) return weights;
  const std::vector<std::string> shipped = shipped_nets();
  const bool is_name = std::find(shipped.begin(), shipped.end(), weights) != shipped.end();
  return is_name || weights == default_net ? shipped_weights(weights) : weights;
}

TrainedNet load_net(const std::string& path, Device device, const std::vector<std::string>& experiments) {
  const std::string file = resolve_weights(path);
  const Safetensors weights = load_safetensors(file);
  const std::string experiment = support::metadata_value(weights, file, "experiment");
  const std::string model = support::metadata_value(weights, file, "model");
  return support::naming_file(file, [&] {
    if (std::find(experiments.begin(), experiments.end(), experiment) == experiments.end()) {
      throw Error(fmt::format("experiment is '{}', expected {}", experiment, fmt::join(experiments, ", ")));
    }
    TrainedNet trained{file, experiment, model, net_of(experiment, model, weights.tensors), weights.metadata};
    trained.net->to(device);
    return trained;
  });
}

}  // namespace deft::apps
