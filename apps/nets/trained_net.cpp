#include "deft/apps/nets/trained_net.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "deft/apps/nets/shipped_nets.h"
#include "deft/apps/support/checkpoint.h"
#include "deft/apps/support/run_directory.h"
#include "deft/core/safetensors.h"
#include "deft/kernels/error.h"

namespace deft::apps {

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
    TrainedNet trained{file, experiment, model, make_net(experiment, model), weights.metadata};
    trained.net->load_state_dict(weights.tensors);
    trained.net->to(device);
    return trained;
  });
}

}  // namespace deft::apps
