#include "deft/apps/scaled_mnist/trained_net.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "deft/apps/nets/nets.h"
#include "deft/apps/scaled_mnist/protocol.h"
#include "deft/apps/support/checkpoint.h"
#include "deft/apps/support/run_directory.h"
#include "deft/core/safetensors.h"
#include "deft/kernels/error.h"

namespace deft::apps {

TrainedNet load_net(const std::string& path, Device device) {
  if (path.empty()) throw Error("--weights is required: " + std::string(weights_help));
  const std::string file = std::filesystem::is_directory(path) ? support::RunDirectory(path).best_weights() : path;
  const Safetensors weights = load_safetensors(file);
  const std::string experiment = support::metadata_value(weights, file, "experiment");
  const std::string model = support::metadata_value(weights, file, "model");
  return support::naming_file(file, [&] {
    const auto& known = mnist_experiments();
    if (std::find(known.begin(), known.end(), experiment) == known.end()) {
      throw Error(fmt::format("experiment is '{}', expected {}", experiment, fmt::join(known, ", ")));
    }
    TrainedNet trained{file, experiment, model, make_net(experiment, model)};
    trained.net->load_state_dict(weights.tensors);
    trained.net->to(device);
    return trained;
  });
}

}  // namespace deft::apps
