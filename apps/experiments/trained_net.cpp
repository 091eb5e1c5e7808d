#include "deft/apps/experiments/trained_net.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "deft/apps/experiments/shipped_nets.h"
#include "deft/apps/support/checkpoint.h"
#include "deft/apps/support/run_directory.h"
#include "deft/core/safetensors.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

std::string reported_weights(const support::RunDirectory& run) {
  const std::string best = run.best_weights();
  const std::string name = support::metadata_value(load_safetensors(best), best, "experiment");
  return support::naming_file(best, [&] { return experiment(name).reports_best_epoch ? best : run.last_weights(); });
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
  const std::string name = support::metadata_value(weights, file, "experiment");
  const std::string model = support::metadata_value(weights, file, "model");
  return support::naming_file(file, [&] {
    const std::vector<std::string> known =
        experiment_names([&](const Experiment& one) { return data.empty() || one.data == data; });
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw Error(fmt::format("experiment is '{}', expected {}", name, fmt::join(known, ", ")));
    }
    const Experiment& its = experiment(name);
    const RestoredNet restored = its.restore_net(model, weights.tensors);
    if (!data.empty() && restored.data != data) {
      throw Error(fmt::format("the net is for images of {}, expected one for {}", restored.data, data));
    }
    restored.net->to(device);
    return TrainedNet{file, &its, model, restored.data, restored.net, weights.metadata};
  });
}

}  // namespace deft::apps
