#include "deft/apps/nets/trained_net.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "deft/apps/nets/cifar_net.h"
#include "deft/apps/nets/geometry_net.h"
#include "deft/apps/nets/shipped_nets.h"
#include "deft/apps/support/checkpoint.h"
#include "deft/apps/support/run_directory.h"
#include "deft/core/safetensors.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

// The nets of E2 and E3 say by their weights how many channels they have, and E3's by those of their images for which
// data set they are.
TrainedNet net_of(const std::string& file, const Safetensors& weights, const std::string& experiment,
                  const std::string& model) {
  if (experiment == "E2") {
    const CifarNet net = CifarNet::from_state(model, weights.tensors);
    return {file, experiment, model, net_data(experiment), ModuleHolder(net), weights.metadata};
  }
  if (experiment == "E3") {
    const GeometryNet net = GeometryNet::from_state(model, weights.tensors);
    return {file, experiment, model, net.in_channels() == 1 ? "mnist" : "cifar10", ModuleHolder(net), weights.metadata};
  }
  TrainedNet trained{file, experiment, model, net_data(experiment), make_net(experiment, model), weights.metadata};
  trained.net->load_state_dict(weights.tensors);
  return trained;
}

std::string reported_weights(const support::RunDirectory& run) {
  const std::string best = run.best_weights();
  const std::string experiment = support::metadata_value(load_safetensors(best), best, "experiment");
  return reports_best_epoch(experiment) ? best : run.last_weights();
}

}  // namespace

std::string resolve_weights(const std::string& weights) {
  if (weights.empty()) throw Error("--weights is empty, expected a " + std::string(weights_help));
  if (std::filesystem::is_directory(weights)) return reported_weights(support::RunDirectory(weights));
  if (std::filesystem::exists(weights)) return weights;
  const std::vector<std::string> shipped = shipped_nets();
  const bool is_name = std::find(shipped.begin(), shipped.end(), weights) != shipped.end();
  return is_name || weights == default_net ? shipped_weights(weights) : weights;
}

TrainedNet load_net(const std::string& path, Device device, const std::string& data) {
  const std::string file = resolve_weights(path);
  const Safetensors weights = load_safetensors(file);
  const std::string experiment = support::metadata_value(weights, file, "experiment");
  const std::string model = support::metadata_value(weights, file, "model");
  return support::naming_file(file, [&] {
    const std::vector<std::string> known = data.empty() ? net_experiments() : net_experiments(data);
    if (std::find(known.begin(), known.end(), experiment) == known.end()) {
      throw Error(fmt::format("experiment is '{}', expected {}", experiment, fmt::join(known, ", ")));
    }
    TrainedNet trained = net_of(file, weights, experiment, model);
    if (!data.empty() && trained.data != data) {
      throw Error(fmt::format("the net is for images of {}, expected one for {}", trained.data, data));
    }
    trained.net->to(device);
    return trained;
  });
}

}  // namespace deft::apps
